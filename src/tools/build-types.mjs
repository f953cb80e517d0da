/**
 * Writes the types of the reader into `dist/types`: those that its `index.d.ts` reaches, which need no other package.
 * Only the npm package has them, so `npm pack` runs this, and no build. Does nothing when the reader has not changed.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, say } from './run.mjs';
import { whenChanged } from './when-changed.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const READER = 'src/crashdump';
const TYPES = 'dist/types';

const sources = readdirSync(READER, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

await whenChanged(join(TYPES, '.built'), [...sources, 'tsconfig.json', 'package-lock.json'], () => {
  say('writing the types of the reader (tsc)');
  rmSync(TYPES, { recursive: true, force: true });
  mkdirSync('dist', { recursive: true });
  const all = mkdtempSync('dist/.types-');
  try {
    run(process.execPath, [
      ...['node_modules/typescript/bin/tsc', '-p', 'src/tools/tsconfig.reader-types.json'],
      ...['--outDir', all],
    ]);
    for (const file of reachedFrom(join(all, 'index.d.ts'))) {
      const target = join(TYPES, relative(all, file));
      mkdirSync(dirname(target), { recursive: true });
      cpSync(file, target);
    }
  } finally {
    rmSync(all, { recursive: true, force: true });
  }
});

function reachedFrom(entry) {
  const reached = new Set([entry]);
  for (const file of reached) {
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\() ?'([^']+)'/g)) {
      if (!/^\.\.?\/.*\.js$/.test(path))
        throw new Error(`${file} needs ${path}, which the package does not have`);
      reached.add(join(dirname(file), path.replace(/\.js$/, '.d.ts')));
    }
  }
  return reached;
}
