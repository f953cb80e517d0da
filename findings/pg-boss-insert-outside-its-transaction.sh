#!/usr/bin/env bash
# pg-boss 12.38.0: `insert(name, jobs, { db })` writes the jobs with the connection that it was given, but looks the
# queue up with the instance's own, the first time that this instance meets the queue. So a transaction that adds a job
# may need a second connection while it holds its locks: where every other connection of a small pool waits for those
# locks, it gets none until somebody's patience ends.
#
# Expected: everything that such a call asks goes through `db`.
# Seen: one statement (SELECT q.name, q.policy, …) through the instance's own connection, then the INSERT through `db`;
# from the second call on through `db` alone.
#
# What we do: the server makes pg-boss know the queue when it starts, by an insertion of no jobs.
#
# Runs pg-boss on PGlite (PostgreSQL in WebAssembly). Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error pg-boss@12.38.0 @electric-sql/pglite@0.5.17 >/dev/null
cat >run.mjs <<'EOF'
import { PGlite } from '@electric-sql/pglite';
import { PgBoss } from 'pg-boss';

const database = await PGlite.create();
const seen = [];
const through = (name) => ({
  async executeSql(text, values) {
    seen.push(`${name}: ${text.trim().replace(/\s+/g, ' ').slice(0, 40)}`);
    if (values === undefined || values.length === 0) {
      const results = await database.exec(text);
      return results.at(-1) ?? { rows: [] };
    }
    return database.query(text, values);
  },
});
const options = { schema: 'pgboss', supervise: false, schedule: false };

const first = new PgBoss({ db: through('maker'), ...options });
first.on('error', () => {});
await first.start();
// Starts before there is a queue, as one server of several may.
const second = new PgBoss({ db: through('own'), ...options });
second.on('error', () => {});
await second.start();
await first.createQueue('parse');

const counts = [];
for (const call of [1, 2]) {
  seen.length = 0;
  await second.insert('parse', [{ data: { call } }], { db: through('given') });
  console.log(`call ${call}:\n  ${seen.join('\n  ')}`);
  counts.push(seen.filter((line) => line.startsWith('own')).length);
}
await Promise.all([first, second].map((boss) => boss.stop({ graceful: false, close: false })));
console.log(`statements through the instance's own connection: ${counts.join(', then ')}`);
process.exit(counts[0] === 1 && counts[1] === 0 ? 0 : 1);
EOF
node run.mjs
