import { chmod, copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { aFolder, run } from '../support/program.js';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
/** The command line by itself: commander, and every module for itself. */
const UNBUNDLED = join(DIST, 'cli.js');

const gateway = fixture('gateway-0.3.0');
const [core, elf] = [gateway.dump('null-pointer'), gateway.elfPath];

describe('coredock parse from its bundle', () => {
  it.each([
    { title: 'text', options: ['--core', core, '--elf', elf] },
    { title: 'JSON', options: [`--core=${core}`, `--elf=${elf}`, '--format', 'json'] },
    { title: 'memory', options: ['--print-mem', '--core', core, '--elf', elf, '--chip', 'esp32c3'] },
    { title: 'no ELF', options: ['--core', core] },
    { title: 'an option twice', options: ['--core', 'none', '--core', core] },
    { title: 'a file that is not there', options: ['--core', 'none'] },
    { title: 'a format that is not known', options: ['--core', core, '--format', 'xml'] },
    { title: 'nothing', options: [] },
    { title: 'an option that is not known', options: ['--core', core, '--colour'] },
    { title: 'an option without its value', options: ['--elf', elf, '--core'] },
    { title: 'a value that looks like an option', options: ['--core', '--elf', elf] },
    { title: 'a value for a flag', options: ['--core', core, '--print-mem=yes'] },
    { title: 'a word too many', options: ['--core', core, elf] },
    { title: 'help', options: ['--help'] },
  ])('says what the command line says without it: $title', async ({ options }) => {
    const bundled = await run(['parse', ...options]);
    const unbundled = await run(['parse', ...options], { program: UNBUNDLED });

    expect(bundled).toEqual(unbundled);
  });

  it('needs three files, which nobody may write, and no folder to run in', async () => {
    const copy = await aCopy();
    for (const file of await readdir(copy.dir)) await chmod(join(copy.dir, file), 0o444);
    await chmod(copy.dir, 0o555);

    const answer = await run(['parse', '--core', core, '--elf', elf], { program: copy.program, cwd: '/' });

    expect(answer).toEqual(await run(['parse', '--core', core, '--elf', elf]));
    expect(answer).toMatchObject({ code: 0, stderr: '' });
    await chmod(copy.dir, 0o755);
  });

  it.each([
    { title: 'is empty', spoil: () => Buffer.alloc(0) },
    { title: 'is cut off', spoil: (cache: Buffer) => cache.subarray(0, cache.length / 2) },
    { title: 'comes from another V8', spoil: (cache: Buffer) => Buffer.from(cache).fill(0x5a, 4, 8) },
    { title: 'is no such thing', spoil: () => Buffer.from('hello, hello, hello, hello, hello') },
  ])('goes without compiled code that $title', async ({ spoil }) => {
    const copy = await aCopy();
    for (const file of (await readdir(copy.dir)).filter((name) => name.endsWith('.cache'))) {
      const cache = join(copy.dir, file);
      await writeFile(cache, spoil(await readFile(cache)));
    }

    const answer = await run(['parse', '--core', core, '--elf', elf], { program: copy.program });

    expect(answer).toEqual(await run(['parse', '--core', core, '--elf', elf]));
    expect(answer).toMatchObject({ code: 0, stderr: '' });
  });
});

/** What the bundle consists of, without anything else of the program, its packages included. */
async function aCopy() {
  const dir = await aFolder();
  const files = (await readdir(DIST)).filter((name) =>
    /^(coredock|bundled-parse|parse\..+)\.(cjs|cache)$/.test(name),
  );
  expect(files).toEqual(
    expect.arrayContaining([
      'coredock.cjs',
      'bundled-parse.cjs',
      'parse.bundle.cjs',
      expect.stringMatching(/cache$/),
    ]),
  );
  await Promise.all(files.map((file) => copyFile(join(DIST, file), join(dir, file))));
  return { dir, program: join(dir, 'coredock.cjs') };
}
