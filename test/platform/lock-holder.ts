import { mkdirSync, rmdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Lock, takeLock } from '../../src/platform/database/sqlite/lock-file.js';
import { START_WAIT_MS } from '../../src/platform/database/sqlite/server-lock.js';

/**
 * A process of `lock-file.test.ts`: ends with an error when somebody has the lock while it has it. "race": at each line
 * of its input it tries to take the lock as a server does at its start, or releases what it took at the line before.
 */
const [path = '', times = ''] = process.argv.slice(2);

if (times === '0') {
  const lock = takeLock(path);
  process.stdout.write(lock === null ? 'refused' : 'held');
  setInterval(() => {}, 1_000);
}

for (let held = 0; held < Number(times); ) {
  const lock = takeLock(path, { waitMs: 10_000 });
  if (lock === null) continue;
  mkdirSync(`${path}.held`);
  rmdirSync(`${path}.held`);
  lock.remove();
  held += 1;
}

if (times === 'race') {
  let lock: Lock | null = null;
  let isTaking = true;
  process.stdout.write('ready\n');
  for await (const _ of createInterface({ input: process.stdin })) {
    if (isTaking) lock = takeLock(path, { waitMs: START_WAIT_MS });
    else lock?.remove();
    const said = lock === null ? 'refused' : 'held';
    process.stdout.write(isTaking ? `${said}\n` : 'released\n');
    isTaking = !isTaking;
  }
}
