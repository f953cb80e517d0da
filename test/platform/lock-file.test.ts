import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
function aHolder(path: string, times: number) {
  const child = spawn(process.execPath, ['--import', 'tsx', HOLDER, path, String(times)], {
    stdio: ['ignore', 'pipe', 'inherit'],
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
});
