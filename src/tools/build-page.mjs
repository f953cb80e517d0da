/**
 * Builds the web page into `dist/page`: generates the types of its GraphQL operations, then runs Vite. Does nothing
 * when none of its inputs has changed.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, say } from './run.mjs';
import { whenChanged } from './when-changed.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

// The worker of the page that decodes crashes has the reader in it.
const sources = ['src/dashboard', 'src/crashdump', 'src/device-list']
  .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && !entry.parentPath.includes('generated'))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

await whenChanged(
  'dist/page/.built',
  [...sources, 'schema.graphql', 'codegen.ts', 'vite.config.ts', 'package-lock.json'],
  () => {
    say('building the web page (vite build)');
    run(process.execPath, ['node_modules/@graphql-codegen/cli/esm/bin.js', '--silent']);
    run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn']);
  },
);
