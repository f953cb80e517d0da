/**
 * `npm run fuzz -- graphql [--runs N] [--seed S] [--only RUN] [--database postgresql]`: asks the server N random valid
 * queries and a tenth as many subscriptions, each again and again, and compares with what graphql-js answers. It is the
 * test that `npm test` runs, with other numbers: vitest brings the server and either database.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    database: { type: 'string', default: 'sqlite' },
  },
});
const numbers = [values.runs, values.seed, values.only ?? '0'].map(Number);
if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
  throw new Error('--runs, --seed and --only are whole numbers');
}
if (!['sqlite', 'postgresql'].includes(values.database)) {
  throw new Error('--database is sqlite or postgresql');
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', values.database, 'test/graphql/differential.test.ts'],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      GRAPHQL_RUNS: values.runs,
      GRAPHQL_SEED: values.seed,
      ...(values.only === undefined ? {} : { GRAPHQL_ONLY: values.only }),
    },
  },
);
process.exitCode = status ?? 1;
