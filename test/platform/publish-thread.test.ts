import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createPublishThread } from '../../src/platform/blobs/files/publish-thread.js';
import { aFolder } from './blob-store-promises.js';

const BUILT = fileURLToPath(new URL('../../dist/publish-worker.js', import.meta.url));

describe('the thread that publishes', () => {
  it('gives files their names, and says of each whether it could', async () => {
    const root = aRoot();
    const publish = createPublishThread(BUILT);
    writeFileSync(join(root, '.incoming', 'spooled'), 'in a file');

    const outcomes = await publish([
      publication(root, 'dev1/a.dmp', 'in memory'),
      { ...publication(root, 'dev1/b.dmp', ''), temporary: join(root, '.incoming', 'spooled'), bytes: null },
      publication(root, 'dev1/a.dmp', 'too late'),
      { ...publication(root, 'dev1/c.dmp', ''), temporary: join(root, 'nowhere', 'x') },
    ]);

    expect(outcomes).toMatchObject([
      { status: 'published' },
      { status: 'published' },
      { status: 'taken' },
      { status: 'failed', cause: { code: 'ENOENT', syscall: 'open' } },
    ]);
    expect(readFileSync(join(root, 'dev1/a.dmp'), 'utf8')).toBe('in memory');
    expect(readFileSync(join(root, 'dev1/b.dmp'), 'utf8')).toBe('in a file');
    expect(readdirSync(join(root, 'dev1'))).toEqual(['a.dmp', 'b.dmp']);
    expect(readdirSync(join(root, '.incoming'))).toHaveLength(1);
  });

  it('gives a name once, however many batches are under way', async () => {
    const root = aRoot();
    const publish = createPublishThread(BUILT);

    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        publish([publication(root, `dev1/${index % 20}.dmp`, `body ${index}`)]),
      ),
    );

    const bodies = outcomes.flatMap(([outcome], index) =>
      outcome?.status === 'published' ? [[`${index % 20}.dmp`, `body ${index}`]] : [],
    );
    expect(bodies).toHaveLength(20);
    for (const [name = '', body] of bodies) expect(readFileSync(join(root, 'dev1', name), 'utf8')).toBe(body);
  });

  it('starts again after it was idle, and after it broke', async () => {
    const root = aRoot();
    const idle = createPublishThread(BUILT, 0);
    const broken = join(root, 'broken.mjs');
    writeFileSync(
      broken,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => { throw new Error('a bug'); });`,
    );
    const breaking = createPublishThread(broken);

    for (const name of ['a', 'b', 'c']) {
      expect(await idle([publication(root, `dev1/${name}.dmp`, name)])).toEqual([{ status: 'published' }]);
      // Behind the timer that ends the idle thread.
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(await breaking([publication(root, `dev2/${name}.dmp`, name)])).toMatchObject([
        { status: 'failed', message: 'the thread that writes files ended: a bug' },
      ]);
    }
  });
});

function aRoot(): string {
  const root = aFolder();
  mkdirSync(join(root, '.incoming'));
  return root;
}

function publication(root: string, key: string, text: string) {
  const bytes = new TextEncoder().encode(text);
  return { root, path: join(root, key), temporary: join(root, '.incoming', `${Math.random()}`), bytes };
}
