import type pg from 'pg';

/**
 * Connects, unless `stop` is aborted first: `pg` never settles a connection that is ended while connecting.
 *
 * @throws the signal's reason, or the error of `connect`
 */
export async function connectUntil(client: pg.Client, stop: AbortSignal | undefined): Promise<void> {
  stop?.throwIfAborted();
  let onStop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    onStop = () => reject(stop?.reason);
    stop?.addEventListener('abort', onStop, { once: true });
  });
  await Promise.race([client.connect(), stopped]).finally(() => stop?.removeEventListener('abort', onStop));
}
