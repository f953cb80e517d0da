import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';

async function newestFirst(app: TestApp): Promise<string[]> {
  const { device } = await app.graphql<{ device: { coredumps: { nodes: { filename: string }[] } } }>(
    '{ device(key: "dev1") { coredumps(first: 200) { nodes { filename } } } }',
  );
  return device.coredumps.nodes.map(({ filename }) => filename);
}

const filesOf = (app: TestApp) => readdir(join(app.config.coredumpsDir, 'dev1'));

describe('retention', () => {
  it('deletes the oldest dump, row and file, when one too many arrives', async () => {
    const app = await aServer({ MAX_COREDUMPS: '3' });
    await aDevice(app);
    const names: string[] = [];
    for (let index = 0; index < 5; index++) names.push((await stored(app, `dump ${index}`)).filename);

    expect(await newestFirst(app)).toEqual(names.slice(2).reverse());
    await eventually(async () => (await filesOf(app)).length === 3, 'the files are gone');
    expect((await filesOf(app)).sort()).toEqual(names.slice(2).sort());
  });

  it('leaves exactly the limit, rows and files, of 50 simultaneous uploads of one device', async () => {
    const app = await aServer({ MAX_COREDUMPS: '20' });
    await aDevice(app);

    await Promise.all(Array.from({ length: 50 }, (_, index) => stored(app, `dump ${index}`)));

    const rows = await newestFirst(app);
    expect(rows).toHaveLength(20);
    await eventually(async () => (await filesOf(app)).length === 20, 'the files are gone');
    expect((await filesOf(app)).sort()).toEqual([...rows].sort());
  });

  it('counts each device for itself', async () => {
    const app = await aServer({ MAX_COREDUMPS: '2' });
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });

    await stored(app, 'a');
    await stored(app, 'b');
    await stored(app, 'c', { device: 'dev2' });

    expect(await newestFirst(app)).toHaveLength(2);
  });

  it('takes effect with the next upload when the limit was lowered', async () => {
    const app = await aServer({ MAX_COREDUMPS: '5' });
    await aDevice(app);
    for (let index = 0; index < 5; index++) await stored(app, `dump ${index}`);

    const lowered = await app.restart({ MAX_COREDUMPS: '2' });
    const { filename } = await stored(lowered, 'one more');

    const left = await newestFirst(lowered);
    expect(left).toHaveLength(2);
    expect(left[0]).toBe(filename);
  });
});

describe('the sweep at start', () => {
  it('sets finished files without a row aside and says so in the metrics', async () => {
    const app = await aServer();
    await aDevice(app);
    const { filename } = await stored(app, 'kept');
    await oldFile(join(app.config.coredumpsDir, 'dev1', 'coredump_20200101T000000_000000Z.dmp'));

    const again = await app.restart();

    expect(await filesOf(again)).toEqual([filename]);
    expect(await readdir(join(app.config.coredumpsDir, '.orphans'), { recursive: true })).toContain(
      join('dev1', 'coredump_20200101T000000_000000Z.dmp'),
    );
    expect(await (await fetch(`${again.url}/metrics`)).text()).toContain('coredump_orphans_total 1');
  });

  it('removes uploads that were never finished', async () => {
    const app = await aServer();
    const incoming = join(app.config.coredumpsDir, '.incoming');
    await oldFile(join(incoming, 'half'));

    await app.restart();

    expect(await readdir(incoming)).toEqual([]);
  });
});

/** Old enough to be nobody's upload in flight, also where other servers may be at work. */
async function oldFile(path: string): Promise<void> {
  await writeFile(path, 'left over');
  const aWeekAgo = new Date(Date.now() - 7 * 24 * 60 * 60 * 1000);
  await utimes(path, aWeekAgo, aWeekAgo);
}
