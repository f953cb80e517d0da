import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/platform/blobs/blob-store.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import {
  failCalls,
  failHandles,
  failSyncCalls,
  failSyncs,
  shortenSyncWrites,
  shortenWrites,
  watchSyncs,
} from '../support/faults.js';
import {
  aFolder,
  chunks,
  describeBlobStore,
  entries,
  keys,
  orphansOf,
  put as putInto,
  read as readFrom,
} from './blob-store-promises.js';

describeBlobStore('files', async () => {
  const folder = aFolder();
  const open = () => createFileBlobs({ root: folder });
  return { blobs: open(), another: open, incoming: join(folder, '.incoming') };
});

/** More than waits for its key in memory. */
const BIG = 'x'.repeat(300_000);

let root: string;
let blobs: BlobStore;
const undo: Array<() => void> = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coredock-blobs-'));
  blobs = createFileBlobs({ root });
});

afterEach(() => {
  for (const each of undo.splice(0)) each();
  rmSync(root, { recursive: true, force: true });
});

describe('receive', () => {
  it('asks for the next bytes only when the last ones are written', async () => {
    let isWriting = false;
    async function* source() {
      for (let i = 0; i < 20; i += 1) {
        expect(isWriting).toBe(false);
        isWriting = true;
        yield Buffer.alloc(100_000);
        isWriting = false;
      }
    }

    expect((await blobs.receive(source())).size).toBe(2_000_000);
  });

  it('goes on where the system took only a part of a write', async () => {
    undo.push(shortenWrites(50_000), shortenSyncWrites(7));

    await put('dev1/big', 'more bytes than fit in memory '.repeat(10_000));
    await put('dev1/small', 'more bytes than one short write takes');

    expect((await read('dev1/big')) === 'more bytes than fit in memory '.repeat(10_000)).toBe(true);
    expect(await read('dev1/small')).toBe('more bytes than one short write takes');
  });

  it('takes the memory of the bytes alone, in however small chunks they come', async () => {
    const text = 'a byte at a time '.repeat(1_000);

    const incoming = await blobs.receive(chunks(...Array.from(text, (byte) => Buffer.from(byte))));
    await incoming.publish('dev1/a.dmp');

    expect(await read('dev1/a.dmp')).toBe(text);
  });
});

describe('publish', () => {
  it('gives the bytes their key and leaves no temporary file', async () => {
    await put('dev1/a.dmp', 'the bytes');

    expect(await read('dev1/a.dmp')).toBe('the bytes');
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
  });

  it('lets exactly one of 50 win a key where the file system has no links', async () => {
    undo.push(failSyncCalls('linkSync', 'EPERM'));
    const incoming = await Promise.all(
      Array.from({ length: 50 }, (_, index) => blobs.receive(chunks(Buffer.from(`body ${index}`)))),
    );

    const won = await Promise.all(incoming.map((each) => each.publish('model/sha.elf')));
    await Promise.all(incoming.map((each) => each.discard()));

    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await read('model/sha.elf')).toBe(`body ${won.indexOf(true)}`);
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
  });

  it('shares the syncs of a folder among those who publish into it at once', async () => {
    await put('dev1/first.dmp', 'x');
    const incoming = await Promise.all(
      Array.from({ length: 32 }, () => blobs.receive(chunks(Buffer.from('x')))),
    );
    let syncs = 0;
    undo.push(
      watchSyncs(
        (path) => path.endsWith('dev1'),
        () => {
          syncs += 1;
        },
      ),
    );

    await Promise.all(incoming.map((each, index) => each.publish(`dev1/${index}.dmp`)));

    expect(syncs).toBeGreaterThan(0);
    expect(syncs).toBeLessThan(16);
  });

  it('succeeds while the last blobs of the same folder are being deleted', async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await put(`dev1/${index}.dmp`, 'x');
        await blobs.delete(`dev1/${index}.dmp`);
      }),
    );

    expect(await keys(blobs)).toEqual([]);
    expect(existsSync(join(root, 'dev1'))).toBe(false);
  });

  it('takes the key back when the name could not be made durable', async () => {
    const incoming = await blobs.receive(chunks(Buffer.from('x')));
    undo.push(failSyncs('EIO', (path) => path.endsWith('dev1')));

    await expect(incoming.publish('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });

    expect(readdirSync(join(root, 'dev1'))).toEqual([]);
  });
});

describe('reading', () => {
  it('answers UNAVAILABLE, never null, when the disk fails', async () => {
    await put('dev1/a.dmp', 'x');
    undo.push(failCalls('open', 'EIO'));

    await expect(blobs.open('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.copyTo('dev1/a.dmp', join(root, 'copy'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('answers UNAVAILABLE, never null, when bytes cannot be read', async () => {
    await put('dev1/a.dmp', 'x');
    undo.push(failHandles('read', 'EIO'));

    await expect(blobs.readAtMost('dev1/a.dmp', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('answers UNAVAILABLE, never null, when a copy has nowhere to go', async () => {
    await put('dev1/a.dmp', 'x');

    await expect(blobs.copyTo('dev1/a.dmp', join(root, 'gone', 'copy'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it.each([
    ['removed', () => rmSync(root, { recursive: true })],
    ['unmounted', emptyRoot],
  ])('answers UNAVAILABLE, never null, when the storage was %s', async (_, takeAway) => {
    await put('dev1/a.dmp', 'x');
    takeAway();

    await expect(blobs.open('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.delete('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(put('dev1/b.dmp', 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(put('dev1/b.dmp', BIG)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.check()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(existsSync(join(root, '.incoming'))).toBe(false);
  });
});

describe('delete', () => {
  it('removes a blob, and its folder with the last one', async () => {
    await put('dev1/a.dmp', 'x');
    await put('dev1/b.dmp', 'x');

    await blobs.delete('dev1/a.dmp');
    expect(await keys(blobs)).toEqual(['dev1/b.dmp']);
    await blobs.delete('dev1/b.dmp');

    expect(existsSync(join(root, 'dev1'))).toBe(false);
    expect(existsSync(root)).toBe(true);
  });
});

describe('list', () => {
  it('names every blob once, with size and date, and nothing else', async () => {
    const expected = Array.from({ length: 150 }, (_, index) => `dev${index % 3}/${index}.dmp`);
    await Promise.all(expected.map((key) => put(key, 'four')));
    await blobs.receive(chunks(Buffer.from(BIG)));
    await put('dev0/old.dmp', 'x');
    await blobs.orphan('dev0/old.dmp');
    mkdirSync(join(root, 'lost+found'));
    writeFileSync(join(root, 'lost+found', 'x'), '');
    writeFileSync(join(root, 'dev0', 'not a key.txt'), '');

    const listed = await entries(blobs);

    expect(listed.map(({ key }) => key).sort()).toEqual(expected.sort());
    expect(listed.every(({ size }) => size === 4)).toBe(true);
    expect(listed.every(({ modifiedAt }) => Date.now() - modifiedAt.getTime() < 60_000)).toBe(true);
  });
});

describe('orphans', () => {
  it('are of the age since they were set aside, and leave no folders behind', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    blobs = createFileBlobs({ root, now: () => now });
    await put('dev1/early.dmp', 'x');
    await put('dev2/late.dmp', 'x');
    await blobs.orphan('dev1/early.dmp');
    now = new Date('2026-01-05T00:00:00Z');
    await blobs.orphan('dev2/late.dmp');

    const orphans = (await orphansOf(blobs)).sort((a, b) => a.key.localeCompare(b.key));
    expect(orphans).toEqual([
      { key: 'dev1/early.dmp', setAsideAt: new Date('2026-01-01T00:00:00Z') },
      { key: 'dev2/late.dmp', setAsideAt: new Date('2026-01-05T00:00:00Z') },
    ]);
    await blobs.removeOrphan('dev1/early.dmp');

    expect(readdirSync(join(root, '.orphans'))).toEqual(['dev2']);
    expect(readdirSync(join(root, '.orphans', 'dev2'))).toEqual(['late.dmp']);
    expect(await blobs.bringBack('dev2/late.dmp')).toBe('back');
    expect(readdirSync(join(root, '.orphans'))).toEqual([]);
  });

  it('are none where nothing was ever set aside', async () => {
    expect(await orphansOf(blobs)).toEqual([]);
  });

  it('come back also where the file system has no links', async () => {
    undo.push(failSyncCalls('linkSync', 'EPERM'));
    await put('dev1/a.dmp', 'x');
    await blobs.orphan('dev1/a.dmp');

    expect(await blobs.bringBack('dev1/a.dmp')).toBe('back');

    expect(await read('dev1/a.dmp')).toBe('x');
    expect(await orphansOf(blobs)).toEqual([]);
  });
});

describe('the note', () => {
  it.each(['with', 'without'])('is given to one of many who claim it at once, %s links', async (links) => {
    if (links === 'without') undo.push(failSyncCalls('linkSync', 'EPERM'));

    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, index) => blobs.note.claim(`note ${index}`)),
    );

    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await blobs.note.read()).toBe(`note ${claims.indexOf(true)}`);
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
  });

  it('and a peek leave no trace in a folder that is not there', async () => {
    const nowhere = join(root, 'nowhere');
    blobs = createFileBlobs({ root: nowhere });

    expect(await blobs.note.read()).toBeNull();
    expect(await blobs.peek(['dev1/a.dmp'])).toEqual({ isEmpty: true, present: 0 });

    expect(existsSync(nowhere)).toBe(false);
  });
});

describe('removeUnfinished', () => {
  it('removes what an earlier run left, and no blob', async () => {
    await put('dev1/a.dmp', 'x');
    await blobs.receive(chunks(Buffer.from(BIG)));
    await (await blobs.receive(chunks(Buffer.from('unfinished too')))).file();

    expect(await createFileBlobs({ root }).removeUnfinished()).toBe(2);

    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
    expect(await keys(blobs)).toEqual(['dev1/a.dmp']);
  });
});

describe('check', () => {
  it('makes the folder on first use and leaves nothing in it', async () => {
    const nested = join(root, 'not', 'yet', 'there');

    await createFileBlobs({ root: nested }).check();

    expect(readdirSync(join(nested, '.incoming'))).toEqual([]);
  });

  it('names the folder that cannot be made', async () => {
    writeFileSync(join(root, 'file'), '');
    const impossible = join(root, 'file', 'dumps');

    await expect(createFileBlobs({ root: impossible }).check()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(impossible),
    });
  });
});

function emptyRoot(): void {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
}

const put = (key: string, text: string) => putInto(blobs, key, text);
const read = (key: string) => readFrom(blobs, key);
