#!/usr/bin/env bash
# PostgreSQL's to_regclass() looks in a cache of its session. A session that once asked for a table that did not exist, and
# then waited in a transaction for an advisory lock, is still told NULL after the holder of the lock has made the table and
# committed. A query of pg_tables in the same transaction finds it, and CREATE TABLE says that it exists.
#
# Expected, at READ COMMITTED: each statement sees what was committed before it began, so not NULL.
# Seen: to_regclass: NULL; pg_tables: 1 row. So in 15, 17 and 18.
#
# What we do: a server that waits for another one's migrations looks in pg_tables
# (src/platform/database/postgresql/migrate-postgresql.ts).
#
# Debian 12: postgresql 15. Exits non-zero when the behaviour is another.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
folder=$(mktemp -d)
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown postgres "$folder"
trap 'as "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
as "$bin/initdb" -D "$folder/data" -U postgres --auth trust >/dev/null
as "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-k $folder -c listen_addresses=" start >/dev/null
sql() { "$bin/psql" -X -q -A -t -h "$folder" -U postgres "$@"; }
waiting="SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

mkfifo holder
sql <holder >/dev/null &
exec 3>holder
echo "BEGIN; SELECT pg_advisory_xact_lock(1);" >&3
until [ "$(sql -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")" = 1 ]; do sleep 0.1; done

sql >waiter <<'SQL' &
SELECT 'before: ' || (to_regclass('made_meanwhile') IS NULL);
BEGIN;
SELECT pg_advisory_xact_lock(1);
SELECT 'to_regclass is null: ' || (to_regclass('made_meanwhile') IS NULL);
SELECT 'rows of pg_tables: ' || count(*) FROM pg_tables WHERE tablename = 'made_meanwhile';
COMMIT;
SQL
waiter=$!
until [ "$(sql -c "$waiting")" = 1 ]; do sleep 0.1; done
echo "CREATE TABLE made_meanwhile (id int); COMMIT;" >&3
exec 3>&-
wait "$waiter"
"$bin/postgres" --version
cat waiter
grep -q 'to_regclass is null: true' waiter
grep -q 'rows of pg_tables: 1' waiter
