import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../../test/fixtures/firmware/', import.meta.url));

/**
 * Bundles `coredock parse` into one file, reads our sample dumps with it, and stores V8's code cache of that run.
 * src/bundled-parse.cts loads both files. Without the samples there is a bundle with an almost empty cache, and the
 * command is slower.
 *
 * @returns names of the files, and esbuild's inputs
 */
export async function bundleParse() {
  for (const file of readdirSync(DIST)) {
    if (/^parse\..*\.cache$/.test(file)) rmSync(join(DIST, file));
  }
  const { outputFiles, metafile } = await build({
    entryPoints: ['src/sidecar/parse-start.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    // V8 reads sources with one byte per character fastest.
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const source = outputFiles[0].text;
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
  replaceFile('parse.bundle.cjs', `// ${hash}\n${source}`);

  const { codeCacheOf, loadBundle } = createRequire(import.meta.url)(join(DIST, 'bundled-parse.cjs'));
  const { exports, script } = loadBundle();
  for (const dump of existsSync(SAMPLES)
    ? readdirSync(SAMPLES).filter((file) => file.endsWith('.dmp'))
    : []) {
    await readSample(exports, dump);
  }
  const cache = codeCacheOf(`// ${hash}\n`);
  writeFileSync(cache, script.createCachedData());
  return { files: ['parse.bundle.cjs', cache.slice(DIST.length)], inputs: metafile.inputs };
}

/** As text and as JSON. The ELF of `thermostat-1.0.0-abort.dmp` is `thermostat-1.0.0.elf`. */
async function readSample({ parseCommand }, dump) {
  const elf = dump.replace(/^([a-z]+-\d+\.\d+\.\d+(?:-b)?)-.*$/, '$1.elf');
  const files = { core: join(SAMPLES, dump), elf: join(SAMPLES, elf) };
  const discard = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  for (const format of ['text', 'json']) {
    await parseCommand({ ...files, format }, { stdout: discard(), stderr: process.stderr }, null);
  }
}

/** Replaces the file atomically, because the program may be running. */
function replaceFile(name, text) {
  writeFileSync(join(DIST, `${name}.new`), text);
  renameSync(join(DIST, `${name}.new`), join(DIST, name));
}
