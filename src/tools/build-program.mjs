/**
 * Builds the program into `dist/`: one bundle in chunks, without folders, so that a file that is started by its name (a
 * thread, a child process) lies beside whoever starts it, wherever the bundler has put that code. Nothing of
 * `node_modules` is needed at run time. Does nothing when none of its inputs has changed. Comes after the page.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGraphiql } from './build-graphiql.mjs';
import { bundleParse } from './bundle-parse.mjs';
import { bundleProgram, compileLaunchers, copyAddons } from './bundle-program.mjs';
import { bundleReader } from './bundle-reader.mjs';
import { say } from './run.mjs';
import { bundledPackages, thirdPartyNotices } from './third-party-notices.mjs';
import { whenChanged } from './when-changed.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join('src', 'dashboard')))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

await whenChanged(
  'dist/.built',
  [...sources, 'package-lock.json', 'tsconfig.json', 'dist/page/.built'],
  async () => {
    say('building the program (esbuild)');
    mkdirSync('dist', { recursive: true });
    const program = await bundleProgram('dist');
    const launchers = await compileLaunchers('dist');
    const addons = copyAddons('dist');
    await buildGraphiql('dist/graphiql');
    const reader = await bundleReader('dist');
    const parse = await bundleParse();
    removeOthers([
      ...program.files,
      ...launchers,
      ...addons,
      ...reader.files,
      ...parse.files,
      'THIRD-PARTY-NOTICES.txt',
    ]);
    writeNotices({ ...program.inputs, ...reader.inputs, ...parse.inputs });
  },
);

/** The licences of what is in the program and in the page. */
function writeNotices(inputs) {
  const packages = bundledPackages([
    ...Object.keys(inputs),
    ...JSON.parse(readFileSync('dist/.page-inputs.json', 'utf8')),
  ]);
  writeFileSync('dist/.packages.json', JSON.stringify(packages, null, 2));
  writeFileSync('dist/THIRD-PARTY-NOTICES.txt', thirdPartyNotices(packages));
}

/** What an earlier build has left, that of `tsc` included. A program that runs meanwhile may miss its chunks. */
function removeOthers(files) {
  const folders = ['page', 'graphiql', 'types'];
  for (const entry of readdirSync('dist', { withFileTypes: true })) {
    const isOurs = (entry.isDirectory() ? folders : files).includes(entry.name);
    if (!isOurs && !entry.name.startsWith('.')) rmSync(join('dist', entry.name), { recursive: true });
  }
}
