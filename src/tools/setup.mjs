/**
 * Prepares a fresh clone, or one with a changed lock file or models, for the build: installs the packages of
 * package-lock.json and generates the Prisma clients. Does nothing when both are up to date. Plain JavaScript, because
 * it runs before packages are installed.
 */
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, say } from './run.mjs';
import { whenChanged } from './when-changed.mjs';

const DATABASES = ['sqlite', 'postgresql'];
const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);

requireNode(20, 19);
await whenChanged('node_modules/.coredock-installed', ['package-lock.json', '.npmrc'], () => {
  say('installing dependencies (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
});
await whenChanged(
  'src/platform/database/generated/.coredock-generated',
  ['package-lock.json', 'prisma/models.prisma', ...DATABASES.map((name) => `prisma/${name}/schema.prisma`)],
  () => {
    say('generating the database clients (prisma generate)');
    for (const name of DATABASES) generateClient(`prisma/${name}`);
  },
);

function generateClient(schemaFolder) {
  run(process.execPath, ['node_modules/prisma/build/index.js', 'generate', '--schema', schemaFolder], {
    // generate never runs the schema engine, but Prisma would download it first; naming any executable prevents that.
    // Prisma starts its generators by name; npm would have added their folder to the path.
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: 'true',
    CHECKPOINT_DISABLE: '1',
  });
}

function requireNode(major, minor) {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  process.stderr.write(`Coredock needs Node ${major}.${minor} or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
