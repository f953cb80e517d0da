/**
 * Makes a fresh clone, or one whose lock file or models changed, ready to build: installs what package-lock.json
 * says, and generates the Prisma clients. Does nothing, quickly, when everything is there. Plain JavaScript, because
 * it runs before anything is installed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DATABASES = ['sqlite', 'postgresql'];
const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);

requireNode(20, 19);
whenChanged('node_modules/.coredock-installed', ['package-lock.json', '.npmrc'], () => {
  say('installing dependencies (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
});
whenChanged(
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
    // Prisma starts its generators by name; npm would have put their folder into the path.
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

/** Runs `work` unless the stamp says that it was done for files with exactly this content. */
function whenChanged(stamp, inputs, work) {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(join(root, input)));
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function run(command, args, environment = {}) {
  try {
    execFileSync(command, args, {
      // What it prints is of interest only when it fails.
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      shell: process.platform === 'win32',
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}\n${command} ${args.join(' ')} failed\n`);
    process.exit(1);
  }
}

function say(text) {
  process.stderr.write(`coredock: ${text} …\n`);
}
