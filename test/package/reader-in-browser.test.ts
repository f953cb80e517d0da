import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type * as reader from '../../src/crashdump/index.js';
import { readCrashDump } from '../../src/crashdump/index.js';
import { readFixtures, readTexts } from '../fuzz/corpus.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';

const LIBRARY = new URL('../../dist/reader.js', import.meta.url);

const PAGE = `<!doctype html><link rel="icon" href="data:,">
<script>window.library = import('/reader.js')</script>`;

describe.skipIf(!hasChromium)(`the reader in a browser${NEEDS_CHROMIUM}`, () => {
  it('reads every fixture, in every form, as Node.js does', async () => {
    const specimens = [...readFixtures(), ...readTexts()];
    const url = await aServerOf(specimens.flatMap(({ core, elf }) => [core, elf]));
    const page = await aBrowserPage(url);

    for (const [index, { name, core, elf }] of specimens.entries()) {
      const seen = await page.evaluate(async (at) => {
        const library = (await Reflect.get(window, 'library')) as typeof reader;
        const bytes = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
        const [dump, firmware] = [await bytes(`/${at}`), await bytes(`/${at + 1}`)];
        return JSON.stringify(library.readCrashDump({ core: dump, elf: firmware }));
      }, index * 2);

      // As JSON, which is how reports are stored and sent.
      expect(JSON.parse(seen), name).toEqual(JSON.parse(JSON.stringify(readCrashDump({ core, elf }))));
    }
  });

  it('says of what is no dump what it is', async () => {
    const page = await aBrowserPage(
      await aServerOf([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8])]),
    );

    const message = await page.evaluate(async () => {
      const { readCrashDump: read } = (await Reflect.get(window, 'library')) as typeof reader;
      const core = new Uint8Array(await (await fetch('/0')).arrayBuffer());
      try {
        return read({ core, elf: null }).output;
      } catch (error) {
        return `${error}`;
      }
    });

    expect(message).toMatch(/UnreadableDump: .*zstd/);
  });
});

/** An empty page, the library, and the files by their numbers. */
async function aServerOf(files: readonly Uint8Array[]): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html').end(PAGE);
    } else if (path === '/reader.js') {
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(LIBRARY));
    } else {
      response.end(files[Number(path.slice(1))]);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
