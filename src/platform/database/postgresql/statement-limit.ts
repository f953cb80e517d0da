import type pg from 'pg';

/**
 * Ends a connection whose statement has no answer for too long: PostgreSQL hangs, or a firewall drops packets, so an
 * answer never comes. The caller gets the error that the connection was terminated, and the pool opens another one.
 *
 * Not `query_timeout`: it abandons the answer and keeps the connection, whose next user would wait behind the same
 * statement. Not `statement_timeout`: a database that hangs does not enforce it, and poolers refuse it.
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
    // With a statement in progress this breaks the connection at once, instead of a graceful end after the statement.
    connection.end().catch(() => {});
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }
}
