import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { takeLock } from '../../src/platform/database/sqlite/lock-file.js';

const HOLDER = fileURLToPath(new URL('lock-holder.ts', import.meta.url));

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Another process, which takes the lock and removes it so many times; 0: takes it, says so, and keeps it. */
function aHolder(path: string, times: number | 'race') {
  const child = spawn(process.execPath, ['--import', 'tsx', HOLDER, path, String(times)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited };
}

describe('a lock among processes', () => {
  it('is an empty file and nothing beside it, and is lifted when its holder is killed', async () => {
    const folder = await aFolder();
    const { child, exited } = aHolder(join(folder, 'lock'), 0);
    await once(child.stdout, 'data');

    expect(takeLock(join(folder, 'lock'))).toBeNull();
    child.kill('SIGKILL');
    await exited;

    expect(await readdir(folder)).toEqual(['lock']);
    takeLock(join(folder, 'lock'))?.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('has one holder at a time although each removes its file', async () => {
    const folder = await aFolder();
    const holders = [1, 2, 3].map(() => aHolder(join(folder, 'lock'), 200));

    const ends = await Promise.all(holders.map(({ exited }) => exited));

    expect(ends).toEqual([1, 2, 3].map(() => [0, null]));
    expect(await readdir(folder)).toEqual([]);
  });

  it('is held by one of two servers that start at once, and not refused to both', async () => {
    const path = join(await aFolder(), 'lock');
    const racers = ['race', 'race'].map(() => aHolder(path, 'race').child);
    const lines = racers.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
    const said = () => Promise.all(lines.map(async (each) => (await each.next()).value));
    expect(await said()).toEqual(['ready', 'ready']);

    for (let round = 0; round < 10; round += 1) {
      for (const { stdin } of racers) stdin.write('take\n');
      expect((await said()).sort()).toEqual(['held', 'refused']);
      for (const { stdin } of racers) stdin.write('release\n');
      expect(await said()).toEqual(['released', 'released']);
    }
  });
});
