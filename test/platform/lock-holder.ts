import { mkdirSync, rmdirSync } from 'node:fs';
import { takeLock } from '../../src/platform/database/sqlite/lock-file.js';

/** A process of `lock-file.test.ts`: ends with an error when somebody has the lock while it has it. */
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
