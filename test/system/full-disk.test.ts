import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, errorOf, eventually, type Stored, stored, upload } from '../support/app.js';
import { aProgram, type Program } from '../support/program.js';
import { fillDisk, mountExt4, mountTinyDisk, type TinyDisk, takeInodes } from '../support/tiny-disk.js';

const DISKS = { tmpfs: () => mountTinyDisk(48), ext4: () => mountExt4(48) };
const NO_DISK = 'this user may not mount a disk';

function aDisk(kind: keyof typeof DISKS, skip: (note: string) => never): TinyDisk {
  const disk = DISKS[kind]();
  if (disk === null) return skip(NO_DISK);
  onTestFinished(disk.remove);
  return disk;
}

/** What everybody may still do when nothing can be stored. */
async function livesFull(program: Program, [kept, unwanted]: [Stored, Stored], part: 'database' | 'storage') {
  for (let time = 0; time < 5; time++) {
    const refused = await upload(program, Buffer.alloc(300_000, `refused ${time}`));
    expect(await errorOf(refused)).toMatchObject({ status: 507, code: 'STORAGE_FULL' });
  }
  const ready = await fetch(`${program.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ [part]: 'down' });
  expect((await fetch(`${program.url}/healthz`)).status).toBe(200);
  const download = await fetch(`${program.url}/api/coredumps/${kept.coredumpId}/download`);
  expect([download.status, await download.text()]).toEqual([200, 'kept']);
  await program.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
    id: unwanted.coredumpId,
  });
  const { auditEvents } = await program.graphql<{ auditEvents: { nodes: Array<{ action: string }> } }>(
    '{ auditEvents(first: 2) { nodes { action } } }',
  );
  expect(auditEvents.nodes.map(({ action }) => action)).toEqual(['deleteCoredump', 'downloadCoredump']);
}

async function recovers(program: Program) {
  await eventually(async () => (await fetch(`${program.url}/readyz`)).status === 200, 'it is ready again');
  await stored(program, Buffer.alloc(300_000, 'after'));
  expect(program.process.exitCode ?? program.process.signalCode).toBeNull();
}

async function twoDumps(program: Program): Promise<[Stored, Stored]> {
  await aDevice(program as never);
  return [await stored(program, 'kept'), await stored(program, 'unwanted')];
}

/** Once when it begins; twice where what was given back sufficed for a moment. */
const saysFull = (program: Program) => program.log().match(/[^\n]* is full: free some space[^\n]*/g) ?? [];

describe.each(['tmpfs', 'ext4'] as const)('a full disk (%s)', (kind) => {
  it('with all of it, the log too: lives, says so, lets people read and delete, recovers', async ({
    skip,
  }) => {
    const disk = aDisk(kind, skip);
    const dir = join(disk.path, 'coredock');
    await mkdir(dir);
    const program = await aProgram('start', { dir, logFile: join(dir, 'log') });
    const dumps = await twoDumps(program);
    const makeRoom = fillDisk(disk.path);

    await livesFull(program, dumps, 'storage');
    makeRoom();
    await recovers(program);

    expect(program.log()).toMatch(/the folder [^ ]+ \(COREDUMPS_DIR\) is full/);
    expect(saysFull(program).length).toBeLessThan(5);
    expect(await program.stop('SIGTERM')).toBe(0);
  });

  it('with the database alone', async ({ skip }) => {
    const disk = aDisk(kind, skip);
    const program = await aProgram('serve', {
      environment: { DATABASE_URL: `file:${join(disk.path, 'coredock.db')}` },
    });
    const dumps = await twoDumps(program);
    const makeRoom = fillDisk(disk.path);
    // What SQLite has room for in its log is still taken.
    await eventually(
      async () => (await upload(program, Buffer.alloc(1_000, String(Math.random())))).status === 507,
      'the database is full',
    );

    await livesFull(program, dumps, 'database');
    makeRoom();
    await recovers(program);

    expect(saysFull(program)[0]).toContain('coredock.db (DATABASE_URL) is full');
    expect(saysFull(program).length).toBeLessThan(4);
  });

  it('with the dumps alone', async ({ skip }) => {
    const disk = aDisk(kind, skip);
    const program = await aProgram('serve', { environment: { COREDUMPS_DIR: disk.path } });
    const dumps = await twoDumps(program);
    const makeRoom = fillDisk(disk.path);

    await livesFull(program, dumps, 'storage');
    makeRoom();
    await recovers(program);

    expect(saysFull(program).filter((line) => line.includes('(COREDUMPS_DIR) is full'))).toHaveLength(1);
  });

  it('on which a server starts: what is there can be read and deleted', async ({ skip }) => {
    const disk = aDisk(kind, skip);
    const dir = join(disk.path, 'coredock');
    await mkdir(dir);
    const first = await aProgram('start', { dir });
    const dumps = await twoDumps(first);
    await first.stop('SIGTERM');
    const makeRoom = fillDisk(disk.path);

    const second = await aProgram('start', { dir });

    await livesFull(second, dumps, 'storage');
    makeRoom();
    await recovers(second);
  });
});

describe('a full disk', () => {
  it.for([1, 8, 16, 24, 40])(
    'with %i KiB left ends no start, also without a reserve',
    async (kibibytes, { skip }) => {
      const disk = aDisk('ext4', skip);
      const dir = join(disk.path, 'coredock');
      await mkdir(dir);
      const first = await aProgram('serve', { dir });
      const [kept] = await twoDumps(first);
      await first.stop('SIGKILL');
      await rm(join(dir, 'data/coredock.db.reserve'), { force: true });
      await rm(join(dir, 'data/coredock.db-shm'), { force: true });
      await writeFile(join(disk.path, 'hole'), Buffer.alloc(kibibytes * 1024));
      fillDisk(disk.path);
      await rm(join(disk.path, 'hole'));

      const second = await aProgram('serve', { dir });

      expect((await fetch(`${second.url}/readyz`)).status).toBe(503);
      const { coredump } = await second.graphql<{ coredump: { filename: string } }>(
        'query ($id: ID!) { coredump(id: $id) { filename } }',
        { id: kept.coredumpId },
      );
      expect(coredump.filename).toBe(kept.filename);
    },
  );

  it('without an inode left takes nothing in, and recovers', async ({ skip }) => {
    const disk = aDisk('ext4', skip);
    const program = await aProgram('serve', { environment: { COREDUMPS_DIR: disk.path } });
    const dumps = await twoDumps(program);
    const release = takeInodes(disk.path);

    await livesFull(program, dumps, 'storage');
    release();
    await recovers(program);
  });
});
