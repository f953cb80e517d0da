import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const call = promisify(execFile);

/** The Node.js of the tests, and those that COREDOCK_TEST_NODES names (paths, separated as in PATH). */
export const NODES = [
  process.execPath,
  ...(process.env.COREDOCK_TEST_NODES ?? '').split(delimiter).filter((path) => path !== ''),
];

/** Packs the project as for the registry. @returns the path of the tarball, and the paths in it */
export async function pack(destination: string): Promise<{ tarball: string; files: string[] }> {
  // The project's .npmrc runs no scripts; a package is packed with its `prepack`, which builds.
  const args = ['pack', '--ignore-scripts=false', '--json', '--pack-destination', destination];
  const { stdout } = await npm(args, ROOT);
  const json = stdout.slice(stdout.search(/^[[{]/m));
  const parsed: unknown = JSON.parse(json);
  const [packed] = (Array.isArray(parsed) ? parsed : Object.values(parsed as object)) as [Packed];
  return { tarball: join(destination, packed.filename), files: packed.files.map(({ path }) => path) };
}

interface Packed {
  filename: string;
  files: Array<{ path: string }>;
}

/** Installs a tarball into an empty folder, without a registry. @returns the folder */
export async function install(tarball: string, folder: string): Promise<string> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const { stderr } = await npm(['install', '--offline', '--no-audit', '--no-fund', tarball], folder);
  if (/EBADENGINE|deprecated|install-scripts/i.test(stderr)) throw new Error(`npm install warns: ${stderr}`);
  return folder;
}

export const coredockIn = (folder: string) => join(folder, 'node_modules/coredock/dist/coredock.cjs');

/** Without `npm_…` variables: those of the npm that runs the tests are not those of a user. */
async function npm(args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return call('npm', [...args], {
    cwd,
    env,
    maxBuffer: 16 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
}

/** All files below a folder, in bytes. @param enters which folders in it count */
export async function sizeOf(folder: string, enters = (_name: string) => true): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) bytes += (await stat(path)).size;
    else if (entry.isDirectory() && enters(entry.name)) bytes += await sizeOf(path, enters);
  }
  return bytes;
}
