import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/platform/blobs/blob-store.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import { failHandles, failSyncCalls, failSyncs } from '../support/faults.js';
import { mountTinyDisk } from '../support/tiny-disk.js';
import { chunks, keys, put as putInto, read as readFrom } from './blob-store-promises.js';

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

const disk = mountTinyDisk();
disk?.remove();

describe.skipIf(disk === null)('a real full or read-only disk (needs the right to mount a tmpfs)', () => {
  let tiny: NonNullable<typeof disk>;

  beforeEach(() => {
    const mounted = mountTinyDisk();
    if (mounted === null) throw new Error('the tiny disk could be mounted a moment ago');
    tiny = mounted;
    blobs = createFileBlobs({ root: tiny.path });
  });

  afterEach(() => tiny.remove());

  it('answers STORAGE_FULL, keeps nothing, and recovers by itself', async () => {
    await put('dev1/a.dmp', 'x'.repeat(600_000));
    const tooMuch = () => chunks(...Array.from({ length: 64 }, () => Buffer.alloc(10_000)));

    await expect(blobs.receive(tooMuch())).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(readdirSync(join(tiny.path, '.incoming'))).toEqual([]);

    await blobs.delete('dev1/a.dmp');
    expect((await blobs.receive(tooMuch())).size).toBe(640_000);
  });

  it('says so when it is checked', async () => {
    await blobs.check();
    const fill = Array.from({ length: 300 }, () => Buffer.alloc(4096));
    writeFileSync(join(tiny.path, 'filler'), '');
    expect(() => writeFileSync(join(tiny.path, 'filler'), Buffer.concat(fill))).toThrow('ENOSPC');

    await expect(blobs.check()).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: expect.stringContaining(tiny.path),
    });
  });

  it('answers UNAVAILABLE when it is read-only, and can still be read', async () => {
    await put('dev1/a.dmp', 'x');
    tiny.makeReadOnly();

    await expect(put('dev1/b.dmp', 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(put('dev1/b.dmp', BIG)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.delete('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(blobs.check()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(tiny.path),
    });
    expect(await read('dev1/a.dmp')).toBe('x');
  });
});

describe('a failing disk', () => {
  it.each([
    ['a write', 'x', () => failSyncCalls('writeSync', 'EIO')],
    ['a write of many', BIG, () => failHandles('writev', 'EIO')],
    ['a sync', 'x', () => failSyncs('EIO')],
    ['the sync of many', BIG, () => failSyncs('EIO')],
  ])('answers UNAVAILABLE when %s fails, and keeps nothing', async (_, text, fail) => {
    await blobs.check();
    undo.push(fail());

    await expect(put('dev1/a.dmp', text)).rejects.toMatchObject({ code: 'UNAVAILABLE' });

    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
    expect(await keys(blobs)).toEqual([]);
  });

  it('fails those whose bytes it does not take, and no others of the same batch', async () => {
    undo.push(failSyncs('EIO', (path) => path.endsWith('dev2')));

    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => put(`dev${index % 4}/${index}.dmp`, 'x')),
    );

    const failed = outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    expect(failed).toEqual([2, 6]);
    expect(await keys(blobs)).toEqual(
      [0, 1, 3, 4, 5, 7].map((index) => `dev${index % 4}/${index}.dmp`).sort(),
    );
  });

  it('answers UNAVAILABLE when the name cannot be written', async () => {
    const incoming = await blobs.receive(chunks(Buffer.from('x')));
    undo.push(failSyncCalls('linkSync', 'EIO'));

    await expect(incoming.publish('dev1/a.dmp')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await incoming.discard();

    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
    expect(await keys(blobs)).toEqual([]);
  });
});

const put = (key: string, text: string) => putInto(blobs, key, text);
const read = (key: string) => readFrom(blobs, key);
