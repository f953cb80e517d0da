import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { takeLock } from '../../src/platform/database/sqlite/lock-file.js';
import { aDevice, eventually, stored } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { aFolder, aProgram, CLI, NODE, run } from '../support/program.js';
import { everythingOf } from '../support/stores.js';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 2);
const DUMPS = 60;

/** The built program in a folder with dumps of three devices and a build, stopped. */
async function aFullFolder() {
  const program = await aProgram('serve', { environment: { MAX_COREDUMPS: '1000' } });
  for (const key of ['dev1', 'dev2', 'dev3']) await aDevice(program as never, { key });
  await uploadFirmware(program as never, {});
  for (let serial = 0; serial < DUMPS; serial += 1) {
    await stored(program, `dump ${serial} `.repeat(3_000), { device: `dev${1 + (serial % 3)}` });
  }
  const everything = await everythingOf(program);
  await program.stop('SIGTERM');
  return { dir: program.dir, everything };
}

/** A command that is killed at a random moment, or as soon as `isInProgress` says so. */
async function killed(
  args: string[],
  cwd: string,
  withinMs: number,
  isInProgress?: () => Promise<boolean>,
): Promise<void> {
  const child = spawn(NODE, [CLI, ...args], { cwd, stdio: 'ignore' });
  const exited = once(child, 'exit');
  const moment =
    isInProgress === undefined
      ? pause(withinMs * (0.2 + 0.8 * Math.random()))
      : eventually(isInProgress, 'the command is in progress');
  await Promise.race([exited, moment]);
  child.kill('SIGKILL');
  await exited;
}

async function timed<Result>(work: Promise<Result>): Promise<{ ms: number; result: Result }> {
  const begun = performance.now();
  const result = await work;
  return { ms: performance.now() - begun, result };
}

function at(folder: string): Record<string, string> {
  return {
    DATABASE_URL: `file:${join(folder, 'coredock.db')}`,
    COREDUMPS_DIR: join(folder, 'coredumps'),
    ASSETS_DIR: join(folder, 'firmware'),
  };
}

describe('coredock import that was killed', () => {
  it(`keeps every server away until it is finished, and goes on, ${ROUNDS} times over`, {
    timeout: 900_000,
  }, async () => {
    const { dir, everything } = await aFullFolder();
    expect(await run(['export', 'archive'], { cwd: dir })).toMatchObject({ code: 0, stderr: '' });
    const archive = join(dir, 'archive');
    const whole = await timed(run(['import', archive], { cwd: await aFolder() }));
    expect(whole.result).toMatchObject({ code: 0, stderr: '' });
    let refusals = 0;

    for (let round = 0; round < ROUNDS || refusals === 0; round += 1) {
      const target = await aFolder();
      const dumps = async () =>
        (await readdir(join(target, 'data'), { recursive: true }).catch(() => [])).filter(isDump);
      await killed(['import', archive], target, whole.ms, async () => (await dumps()).length > 0);

      const before = await dumps();
      const refusal = before.length === 0 ? null : await refusalOf(target);
      if (refusal !== null) {
        expect(refusal).toContain(`"coredock import ${archive}"`);
        expect(await dumps()).toEqual(before);
        refusals += 1;
      }
      await killed(['import', archive], target, whole.ms);
      const { code, stderr } = await run(['import', archive], { cwd: target });

      // The last of those killed may have been through.
      if (code !== 0) expect(stderr).toContain('has rows in');
      const moved = await aProgram('serve', { dir: target });
      expect(await everythingOf(moved)).toEqual(everything);
      expect(moved.log()).not.toContain('set aside');
      for (const storage of ['coredumps', 'firmware']) {
        expect(await readdir(join(target, 'data', storage, '.incoming'))).toEqual([]);
      }
      await moved.stop('SIGTERM');
    }
  });
});

const isDump = (name: string) => name.endsWith('.dmp');

/** What a server says that does not start, in its one line; null when it does. */
async function refusalOf(dir: string): Promise<string | null> {
  try {
    const started = await aProgram('serve', { dir });
    await started.stop('SIGTERM');
    return null;
  } catch (error) {
    const lines = error instanceof Error ? error.message.trim().split('\n').slice(1) : [];
    expect(lines).toHaveLength(1);
    return lines.join();
  }
}

describe('coredock backup that was killed', () => {
  it(`leaves nothing that the next one does not remove, ${ROUNDS} times over`, {
    timeout: 900_000,
  }, async () => {
    const { dir, everything } = await aFullFolder();
    const whole = await timed(run(['backup', 'backups/whole'], { cwd: dir }));
    expect(whole.result).toMatchObject({ code: 0, stderr: '' });

    for (let round = 0; round < ROUNDS; round += 1) {
      for (let kills = 0; kills < 2; kills += 1) {
        await killed(['backup', `backups/${round}-${kills}`], dir, whole.ms);
      }
      const last = await run(['backup', `backups/${round}`], { cwd: dir });

      expect(last).toMatchObject({ code: 0, stderr: '' });
      const names = await readdir(join(dir, 'backups'));
      expect(names.filter((name) => name.includes('partial'))).toEqual([]);
    }

    // What has its name is whole, whenever it was killed afterwards.
    for (const name of await readdir(join(dir, 'backups'))) {
      const restored = await aProgram('serve', { environment: at(join(dir, 'backups', name)) });
      expect(await everythingOf(restored)).toEqual(everything);
      expect(restored.log()).not.toContain('set aside');
      await restored.stop('SIGTERM');
    }
  });

  it('is not taken for one that is at work, nor for what nobody can know', async () => {
    const { dir } = await aFullFolder();
    await run(['backup', 'backups/one'], { cwd: dir });
    const atWork = join(dir, 'backups', 'at-work.coredock-partial');
    await mkdir(join(dir, 'backups', 'old.coredock-partial'));
    await mkdir(atWork);
    const lock = takeLock(`${atWork}.lock`);

    const { code, stderr } = await run(['backup', 'backups/two'], { cwd: dir });
    const same = await run(['backup', 'backups/at-work'], { cwd: dir });
    lock?.release();

    expect(code).toBe(0);
    expect(stderr).toContain('old.coredock-partial may be left over from an interrupted backup');
    expect(stderr).not.toContain('at-work');
    expect(same).toMatchObject({ code: 1, stderr: expect.stringContaining('another backup is writing to') });
    const names = await readdir(join(dir, 'backups'));
    for (const name of ['old', 'at-work']) expect(names).toContain(`${name}.coredock-partial`);
  });
});

describe('a backup', () => {
  it('is an installation of its own: its database alone is refused beside the storage that it was copied from', async () => {
    const { dir, everything } = await aFullFolder();
    await run(['backup', 'backup'], { cwd: dir });
    const database = `file:${join(dir, 'backup', 'coredock.db')}`;

    const { code, stderr } = await run(['serve'], {
      cwd: dir,
      environment: { PORT: '0', DATABASE_URL: database },
    });

    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    for (const part of [database, 'DATABASE_URL', 'COREDUMPS_DIR', 'coredock adopt'])
      expect(stderr).toContain(part);
    expect(await run(['adopt'], { cwd: dir, environment: { DATABASE_URL: database } })).toMatchObject({
      code: 0,
    });
    const adopted = await aProgram('serve', { dir, environment: { DATABASE_URL: database } });
    expect(await everythingOf(adopted)).toEqual(everything);
    await adopted.stop('SIGTERM');
    // The database that was its own before is not any more.
    expect((await run(['serve'], { cwd: dir, environment: { PORT: '0' } })).stderr).toContain(
      'do not belong together',
    );
  });
});
