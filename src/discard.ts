import type { Readable } from 'node:stream';

/**
 * Throws away what a refused sender still sends: a piece at each turn of the event loop, so that others get their turns
 * in between. Read as fast as it comes, some megabytes are taken in one.
 */
export function discard(stream: Readable): void {
  stream.on('data', () => {
    stream.pause();
    setImmediate(() => stream.resume());
  });
}
