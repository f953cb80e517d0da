#!/usr/bin/env bash
# `close()` of @photostructure/sqlite, which has the interface of node:sqlite, leaves the SQLite connection open as long as a
# statement that was prepared with it is not collected as garbage, and a statement has no method that ends it. A program that
# closes its database and calls `process.exit` leaves its last writes in the `-wal` file: a copy of the database file alone
# lacks them.
#
# Expected: what node:sqlite (Node 22.5 and later) does: `close()` finalizes all statements, the last connection moves the
# log into the database file, and `-wal` and `-shm` are gone.
# Seen: after `close()` and the end of the process the database file has 4,096 bytes, and its `-wal` holds table and row.
# Without a prepared statement the log is gone.
#
# What we do: the server moves the log into the file (`wal_checkpoint(TRUNCATE)`) before it closes its connections
# (src/platform/database/sqlite/guard.ts); test/system/stop copies the file alone after a stop, and finds everything.
#
# @photostructure/sqlite 1.2.1. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @photostructure/sqlite@1.2.1 >/dev/null
cat >try.mjs <<'JS'
import { DatabaseSync } from '@photostructure/sqlite';

const [, , file, way] = process.argv;
const database = new DatabaseSync(file);
database.exec('PRAGMA journal_mode = WAL; CREATE TABLE device (key TEXT)');
if (way === 'prepared') database.prepare('INSERT INTO device VALUES (?)').run('dev1');
else database.exec("INSERT INTO device VALUES ('dev1')");
database.close();
process.exit(0);
JS
cat >look.mjs <<'JS'
import { existsSync, statSync } from 'node:fs';

for (const file of process.argv.slice(2)) {
  const wal = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
  console.log(`${file}: ${statSync(file).size} bytes, ${wal ? 'the log is left' : 'no log is left'}`);
}
JS
node try.mjs prepared.db prepared
node try.mjs exec.db exec
node look.mjs prepared.db exec.db | tee seen
grep -qxF 'prepared.db: 4096 bytes, the log is left' seen
grep -qxF 'exec.db: 8192 bytes, no log is left' seen
