#!/usr/bin/env bash
# A task for Piscina with a MessagePort among what it transfers is rejected if the port was closed while the task waited for a
# thread. Its function is never called, and the error is one of cloning, thrown long after `run`.
#
# Expected: the task runs, and its port says 'close', as the port of a running task does when the other end is closed.
# Seen: DataCloneError "MessagePort in transfer list is already detached". A port that is closed counts as detached, and
# closing one end closes the other, which nobody has touched.
#
# What we do: a query whose reader has left while the thread started is not logged as a failure (`run` in
# src/graphql/server/query-thread.ts, and test/graphql/query-thread.test.ts).
#
# piscina 5.3.2, Node.js 20.20 and 24. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --ignore-scripts --no-audit --no-fund --loglevel=error piscina@5.3.2 >/dev/null
cat >task.cjs <<'JS'
module.exports = ({ port }) =>
  new Promise((resolve) => {
    port.once('close', () => resolve('its port closed'));
    port.postMessage('running');
  });
JS
cat >try.cjs <<'JS'
const { MessageChannel } = require('node:worker_threads');
const { Piscina } = require('piscina');
const pool = new Piscina({ filename: require.resolve('./task.cjs'), minThreads: 0, maxThreads: 1 });

async function run(name, closeWhen) {
  const { port1, port2 } = new MessageChannel();
  const task = pool.run({ port: port2 }, { transferList: [port2] });
  closeWhen(port1);
  console.log(`${name}:`, await task.catch(({ name, message }) => `${name}: ${message}`));
}

(async () => {
  await run('closed while it waits', (port) => port.close());
  await run('closed while it runs', (port) => port.once('message', () => port.close()));
  await pool.destroy();
})();
JS
node try.cjs | tee seen
grep -q '^closed while it waits: DataCloneError: .*already detached' seen
grep -qx 'closed while it runs: its port closed' seen
