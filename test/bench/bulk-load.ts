import type pg from 'pg';

/** What a bulk load takes its time with when it is kept up row by row, and is made in one go afterwards. */
const TABLES = ['Coredump', 'CoredumpText', 'CrashOccurrence', 'CrashTally', 'CrashDevice', 'VersionDevice'];

/**
 * Runs `work` on an empty database without the indexes of its large tables and without looking up what rows refer to,
 * then makes the indexes, and says on standard error how long each step took: a million rows take minutes.
 */
export async function bulkLoad(
  client: pg.Client,
  work: (run: (sql: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const run = async (sql: string) => {
    const begun = performance.now();
    await client.query(sql);
    const seconds = (performance.now() - begun) / 1000;
    const what = /(INSERT INTO|UPDATE|INDEX|VACUUM)( ?"?\w+)?/.exec(sql)?.[0];
    if (seconds > 2 && what !== undefined) {
      process.stderr.write(`    ${what.replaceAll('"', '')}: ${seconds.toFixed(0)} s\n`);
    }
  };
  await run(
    `SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'; SET session_replication_role = replica`,
  );
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes i
     WHERE i.schemaname = 'public' AND i.tablename = ANY ($1) AND i.indexname NOT LIKE '%\\_pkey'`,
    [TABLES],
  );
  for (const { name } of rows) await run(`DROP INDEX "${name}"`);
  await work(run);
  for (const { definition } of rows) await run(definition);
  await run('VACUUM ANALYZE');
}
