import type pg from 'pg';

/**
 * Ends a connection on which a statement has no answer for too long: its PostgreSQL hangs, or a firewall on the way
 * swallows what is sent, and then no answer ever comes. The caller gets the error that the connection was terminated, and
 * the pool opens another one.
 *
 * Not by `query_timeout`, which gives up the answer and keeps the connection: the next one to get it would wait behind
 * the same statement. Nor by `statement_timeout`, which a database that hangs does not keep, and poolers before it refuse.
 */
export function limitStatements(
  connection: pg.PoolClient,
  { limitMs, onLimit }: { limitMs: number; onLimit: () => void },
): void {
  const { query } = connection;
  let timer: NodeJS.Timeout | undefined;
  connection.on('drain', stop).on('end', stop);
  Object.assign(connection, {
    query(...given: unknown[]) {
      timer ??= setTimeout(giveUp, limitMs);
      return Reflect.apply(query, connection, given);
    },
  });

  function giveUp(): void {
    onLimit();
    // With a statement on its way this breaks the connection, rather than saying goodbye after it.
    connection.end().catch(() => {});
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }
}
