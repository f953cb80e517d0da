import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { BlobStore } from '../../src/platform/blobs/blob-store.js';

export interface StoreUnderTest {
  blobs: BlobStore;
  /** Another server on the same storage. */
  another(): BlobStore;
  /** The folder where bytes wait for their key. */
  incoming: string;
}

/** What every maker of `BlobStore` promises. */
export function describeBlobStore(maker: string, make: () => Promise<StoreUnderTest>): void {
  describe(`blobs in ${maker}`, () => {
    let store: StoreUnderTest;
    let blobs: BlobStore;

    beforeEach(async () => {
      store = await make();
      blobs = store.blobs;
    });

    it('hash and count what they take in, and show it to nobody before it has a key', async () => {
      const bytes = Buffer.alloc(300_000, 'crash ');

      const incoming = await blobs.receive(chunks(bytes.subarray(0, 1), bytes.subarray(1)));

      expect(incoming.size).toBe(300_000);
      expect(incoming.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(readFileSync(await incoming.file()).equals(bytes)).toBe(true);
      expect(await keys(blobs)).toEqual([]);
      expect(await keys(store.another())).toEqual([]);
    });

    it('throw the error of a source that fails midway as it is, and keep nothing', async () => {
      const failure = new Error('the device lost its network');
      async function* source() {
        yield Buffer.from('half a d');
        throw failure;
      }

      await expect(blobs.receive(source())).rejects.toBe(failure);

      expect(readdirSync(store.incoming)).toEqual([]);
    });

    it('keep nothing that is discarded', async () => {
      const incoming = await blobs.receive(chunks(Buffer.from('no')));

      await incoming.file();
      await incoming.discard();
      await incoming.discard();

      expect(readdirSync(store.incoming)).toEqual([]);
    });

    it('are there for every server once published, and leave nothing behind', async () => {
      await put(blobs, 'dev1/a.dmp', 'the bytes');

      expect(await read(store.another(), 'dev1/a.dmp')).toBe('the bytes');
      expect(readdirSync(store.incoming)).toEqual([]);
    });

    it('take no bytes at all, and some megabytes', async () => {
      const big = 'firmware'.repeat(400_000);
      await put(blobs, 'dev1/none', '');
      await put(blobs, 'dev1/big', big);

      expect(await read(blobs, 'dev1/none')).toBe('');
      expect((await read(blobs, 'dev1/big')) === big).toBe(true);
    });

    it('never write a key twice', async () => {
      await put(blobs, 'dev1/a.dmp', 'first');
      const second = await store.another().receive(chunks(Buffer.from('second')));

      expect(await second.publish('dev1/a.dmp')).toBe(false);

      expect(await read(blobs, 'dev1/a.dmp')).toBe('first');
      expect(await second.publish('dev1/b.dmp')).toBe(true);
      expect(await read(blobs, 'dev1/b.dmp')).toBe('second');
    });

    it.each([
      ...['', '/', 'a//b', '/a', 'a/', '.', '..', 'a/../b', '.incoming/x', 'a/.x'],
      ...['a\\b', 'a b', 'ä', 'a\0', 'a/x\n'],
    ])('refuse %j as a key', async (key) => {
      const incoming = await blobs.receive(chunks(Buffer.from('x')));

      await expect(incoming.publish(key)).rejects.toThrow('not a key');
      await expect((async () => blobs.open(key))()).rejects.toThrow('not a key');
      await expect((async () => blobs.delete(key))()).rejects.toThrow('not a key');
    });

    it('tell their size before the first byte', async () => {
      await put(blobs, 'dev1/a.dmp', 'ten bytes.');

      const blob = await blobs.open('dev1/a.dmp');

      expect(blob?.size).toBe(10);
      blob?.stream.destroy();
      expect(await read(blobs, 'dev1/a.dmp')).toBe('ten bytes.');
    });

    it('tell their size without being read, and null when they are gone', async () => {
      await put(blobs, 'dev1/a.dmp', 'ten bytes.');
      await put(blobs, 'dev1/empty.dmp', '');

      expect(await blobs.sizeOf('dev1/a.dmp')).toBe(10);
      expect(await blobs.sizeOf('dev1/empty.dmp')).toBe(0);
      expect(await blobs.sizeOf('dev1/b.dmp')).toBeNull();
      expect(await blobs.sizeOf('dev1')).toBeNull();
    });

    it('are read no further than asked', async () => {
      await put(blobs, 'dev1/a.dmp', 'ten bytes.');

      expect(Buffer.from((await blobs.readAtMost('dev1/a.dmp', 3)) ?? []).toString()).toBe('ten');
      expect(Buffer.from((await blobs.readAtMost('dev1/a.dmp', 99)) ?? []).toString()).toBe('ten bytes.');
    });

    it('are copied to a plain file', async () => {
      await put(blobs, 'dev1/a.dmp', 'ten bytes.');
      const path = join(aFolder(), 'copy');

      expect(await blobs.copyTo('dev1/a.dmp', path)).toBe(10);

      expect(readFileSync(path, 'utf8')).toBe('ten bytes.');
    });

    it('are null where there is none, also where their names are only the beginning of one', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      const path = join(aFolder(), 'copy');

      for (const key of ['dev1/b.dmp', 'dev2/a.dmp', 'dev1', 'dev1/a.dmp/x']) {
        expect(await blobs.open(key)).toBeNull();
        expect(await blobs.readAtMost(key, 1)).toBeNull();
        expect(await blobs.copyTo(key, path)).toBeNull();
      }
      expect(existsSync(path)).toBe(false);
    });

    it('are UNAVAILABLE, never null, when a copy has nowhere to go', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');

      await expect(blobs.copyTo('dev1/a.dmp', join(aFolder(), 'gone', 'copy'))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
    });

    it('are gone once deleted, and may be deleted again', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await put(blobs, 'dev1/b.dmp', 'x');

      await blobs.delete('dev1/a.dmp');
      await blobs.delete('dev1/a.dmp');

      expect(await keys(blobs)).toEqual(['dev1/b.dmp']);
      expect(await blobs.open('dev1/a.dmp')).toBeNull();
    });

    it('are listed once each, with size and date', async () => {
      const expected = Array.from({ length: 30 }, (_, index) => `dev${index % 3}/${index}.dmp`);
      await Promise.all(expected.map((key) => put(blobs, key, 'four')));
      await unfinished(blobs);
      await put(blobs, 'dev0/old.dmp', 'x');
      await blobs.orphan('dev0/old.dmp');

      const listed = await entries(blobs);

      expect(listed.map(({ key }) => key).sort()).toEqual(expected.sort());
      expect(listed.every(({ size }) => size === 4)).toBe(true);
      expect(listed.every(({ modifiedAt }) => Math.abs(Date.now() - modifiedAt.getTime()) < 60_000)).toBe(
        true,
      );
    });

    it('set aside are out of sight, and purged by the time since then', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await blobs.orphan('dev1/a.dmp');

      expect(await keys(blobs)).toEqual([]);
      expect(await blobs.open('dev1/a.dmp')).toBeNull();
      expect(await blobs.purgeOrphans(new Date(Date.now() - 60 * 60_000))).toBe(0);
      expect(await blobs.purgeOrphans(new Date(Date.now() + 60 * 60_000))).toBe(1);
      expect(await blobs.purgeOrphans(new Date(Date.now() + 60 * 60_000))).toBe(0);
    });

    it('unfinished are removed for the next run, and no others', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await unfinished(blobs);
      await unfinished(blobs);

      expect(await store.another().removeUnfinished(new Date(Date.now() - 60 * 60_000))).toBe(0);
      expect(await store.another().removeUnfinished()).toBe(2);

      expect(readdirSync(store.incoming)).toEqual([]);
      expect(await keys(blobs)).toEqual(['dev1/a.dmp']);
    });

    it('pass their check, which leaves nothing to be seen', async () => {
      await blobs.check();

      expect(await keys(blobs)).toEqual([]);
      expect(readdirSync(store.incoming)).toEqual([]);
    });
  });
}

export async function* chunks(...bytes: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

export async function put(blobs: BlobStore, key: string, text: string): Promise<void> {
  const incoming = await blobs.receive(chunks(Buffer.from(text)));
  expect(await incoming.publish(key)).toBe(true);
}

async function unfinished(blobs: BlobStore): Promise<void> {
  await (await blobs.receive(chunks(Buffer.from('unfinished')))).file();
}

export async function read(blobs: BlobStore, key: string): Promise<string | undefined> {
  const blob = await blobs.open(key);
  return blob === null ? undefined : (await buffer(blob.stream)).toString();
}

export async function entries(
  blobs: BlobStore,
): Promise<Array<{ key: string; size: number; modifiedAt: Date }>> {
  const found = [];
  for await (const entry of blobs.list()) found.push(entry);
  return found;
}

export async function keys(blobs: BlobStore): Promise<string[]> {
  return (await entries(blobs)).map(({ key }) => key).sort();
}

/** Gone when the test is. */
export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coredock-blobs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
