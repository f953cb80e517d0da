import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { openBlobStores } from '../../src/platform/blobs/open-blob-stores.js';
import type { TestApp } from './app.js';

/** What the storage of a server has, and what becomes of it behind the server's back. */
export async function aStorageOf(app: Pick<TestApp, 'config'>) {
  const stores = await openBlobStores(app.config);
  onTestFinished(stores.close);
  const kinds = { dump: stores.dumps, elf: stores.firmwares };

  return {
    async keys(kind: keyof typeof kinds): Promise<string[]> {
      const keys: string[] = [];
      for await (const { key } of kinds[kind].list()) keys.push(key);
      return keys.sort();
    },
    /** @returns puts it back */
    async lose(kind: keyof typeof kinds, key: string): Promise<() => Promise<void>> {
      const blob = await kinds[kind].open(key);
      if (blob === null) throw new Error(`${key} is lost already`);
      const bytes = await buffer(blob.stream);
      await kinds[kind].delete(key);
      return () => put(kind, key, bytes);
    },
    /** As a crash of a machine without synced files does. */
    async cut(kind: keyof typeof kinds, key: string): Promise<void> {
      await kinds[kind].delete(key);
      await put(kind, key, Buffer.from('a part'));
    },
  };

  async function put(kind: keyof typeof kinds, key: string, bytes: Uint8Array): Promise<void> {
    const incoming = await kinds[kind].receive(
      (async function* () {
        yield bytes;
      })(),
    );
    await incoming.publish(key);
  }
}
