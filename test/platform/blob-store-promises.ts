import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { BlobStore } from '../../src/platform/blobs/blob-store.js';
import { restoringSetAside } from '../../src/platform/blobs/restore-set-aside.js';

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

      await expect(incoming.publish(key)).rejects.toThrow('not a valid blob key');
      await expect((async () => blobs.open(key))()).rejects.toThrow('not a valid blob key');
      await expect((async () => blobs.delete(key))()).rejects.toThrow('not a valid blob key');
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

    it('set aside are out of sight, and known with the time since then', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await blobs.orphan('dev1/a.dmp');

      expect(await keys(blobs)).toEqual([]);
      expect(await blobs.open('dev1/a.dmp')).toBeNull();
      const orphans = await orphansOf(blobs);
      expect(orphans.map(({ key }) => key)).toEqual(['dev1/a.dmp']);
      expect(Math.abs(Date.now() - (orphans[0]?.setAsideAt.getTime() ?? 0))).toBeLessThan(60_000);
    });

    it('set aside may be gone, come back, or go for good', async () => {
      for (const name of ['a', 'b', 'c']) await put(blobs, `dev1/${name}.dmp`, name);
      for (const name of ['a', 'b', 'c', 'gone']) await blobs.orphan(`dev1/${name}.dmp`);
      await put(blobs, 'dev1/c.dmp', 'newer');

      expect(await blobs.bringBack('dev1/a.dmp')).toBe('back');
      expect(await blobs.bringBack('dev1/c.dmp')).toBe('taken');
      expect(await blobs.bringBack('dev1/gone.dmp')).toBe('missing');
      await blobs.removeOrphan('dev1/b.dmp');
      await blobs.removeOrphan('dev1/gone.dmp');

      expect(await keys(blobs)).toEqual(['dev1/a.dmp', 'dev1/c.dmp']);
      expect(await read(blobs, 'dev1/a.dmp')).toBe('a');
      expect(await read(blobs, 'dev1/c.dmp')).toBe('newer');
      expect((await orphansOf(blobs)).map(({ key }) => key)).toEqual(['dev1/c.dmp']);
    });

    it('set aside and brought back by many at once come back once', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await Promise.all(Array.from({ length: 20 }, () => blobs.orphan('dev1/a.dmp')));

      const outcomes = await Promise.all(Array.from({ length: 20 }, () => blobs.bringBack('dev1/a.dmp')));

      expect(outcomes.filter((outcome) => outcome === 'back')).toHaveLength(1);
      expect(await read(blobs, 'dev1/a.dmp')).toBe('x');
    });

    it('set aside are found again by who reads them through a store that brings them back', async () => {
      const found = restoringSetAside(blobs);
      const path = join(aFolder(), 'copy');
      for (const name of ['a', 'b', 'c']) {
        await put(blobs, `dev1/${name}.dmp`, name);
        await blobs.orphan(`dev1/${name}.dmp`);
      }

      expect(await read(found, 'dev1/a.dmp')).toBe('a');
      expect(Buffer.from((await found.readAtMost('dev1/b.dmp', 10)) ?? []).toString()).toBe('b');
      expect(await found.copyTo('dev1/c.dmp', path)).toBe(1);
      expect(await found.open('dev1/never.dmp')).toBeNull();
      expect(await keys(blobs)).toEqual(['dev1/a.dmp', 'dev1/b.dmp', 'dev1/c.dmp']);
    });

    it('share their storage with one note, which the first claims and everybody may read', async () => {
      expect(await blobs.note.read()).toBeNull();

      expect(await blobs.note.claim('the first')).toBe(true);
      expect(await store.another().note.claim('the second')).toBe(false);
      expect(await store.another().note.read()).toBe('the first');

      await blobs.note.replace('another note');
      expect(await store.another().note.read()).toBe('another note');
      expect(await keys(blobs)).toEqual([]);
      expect(await blobs.peek([])).toEqual({ isEmpty: true, present: 0 });
    });

    it('are peeked at, wherever they are', async () => {
      await put(blobs, 'dev1/a.dmp', 'x');
      await put(blobs, 'dev1/b.dmp', 'x');
      await blobs.orphan('dev1/b.dmp');

      expect(await blobs.peek(['dev1/a.dmp', 'dev1/b.dmp', 'dev1/c.dmp'])).toEqual({
        isEmpty: false,
        present: 2,
      });
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

export async function orphansOf(blobs: BlobStore): Promise<Array<{ key: string; setAsideAt: Date }>> {
  const found = [];
  for await (const orphan of blobs.orphans()) found.push(orphan);
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
