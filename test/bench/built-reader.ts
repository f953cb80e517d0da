import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type * as reader from '../../src/crashdump/index.js';

const SOURCE = fileURLToPath(new URL('../../src/crashdump/index.ts', import.meta.url));

/** Our reader as it is in the program: bundled for Node.js. */
export async function ourReader(): Promise<typeof reader> {
  const file = join(await mkdtemp(join(tmpdir(), 'coredock-bench-reader-')), 'reader.mjs');
  await build({ entryPoints: [SOURCE], outfile: file, bundle: true, format: 'esm', platform: 'node' });
  return import(pathToFileURL(file).href);
}

/** The reader of an earlier build: a module of its `dist`, or, of a bundled one, the library. */
export async function readerOf(dist: string): Promise<typeof reader> {
  const module = join(dist, 'crashdump/index.js');
  return import(pathToFileURL(existsSync(module) ? module : join(dist, 'reader.js')).href);
}
