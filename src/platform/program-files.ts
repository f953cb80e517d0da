/**
 * Every file that the program finds at run time. The built program is flat: this module, wherever the bundler puts it,
 * lies in `dist/`, beside the files of threads and child processes and the folders of what browsers load. Those do not
 * exist beside the sources. The migrations and `package.json` belong to both.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The command line, which is also how a sidecar is started. */
export const CLI_FILE = built('cli.js');
/** What `bin` starts. */
export const PROGRAM_FILE = built('coredock.cjs');
/** The thread that makes uploads durable. */
export const PUBLISH_WORKER_FILE = built('publish-worker.js');
/** The thread that runs GraphQL queries. */
export const QUERY_WORKER_FILE = built('query-worker.js');
/** A thread of the sidecar. `worker.js` is that of the library piscina, which loads this file. */
export const PARSE_WORKER_FILE = built('parse-worker.js');
/** The web page. */
export const PAGE_FOLDER = built('page');
/** Script, style and workers of GraphiQL. */
export const GRAPHIQL_FOLDER = built('graphiql');

const PACKAGE_FOLDER = packageFolder();

const PACKAGE_FILE = fileURLToPath(new URL('package.json', PACKAGE_FOLDER));

/** Of the program: `1.2.0`. */
export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string };
  return version;
}

export function migrationsFolder(database: 'sqlite' | 'postgresql'): string {
  return fileURLToPath(new URL(`prisma/${database}/migrations`, PACKAGE_FOLDER));
}

/** A folder of the sources, which an installed package does not have: the demo uses it. */
export function sourcesFolder(path: string): URL {
  return new URL(path, PACKAGE_FOLDER);
}

/** The native code of SQLite for this system. */
export function sqliteAddonFile(): string {
  const { platform, arch } = process;
  return built(`sqlite-${platform}-${arch}${platform === 'linux' ? `-${libc()}` : ''}.node`);
}

function built(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** One folder above `dist/`, two above `src/platform/`. */
function packageFolder(): URL {
  const near = new URL('../', import.meta.url);
  return existsSync(new URL('package.json', near)) ? near : new URL('../', near);
}

/** Which C library this Node is linked with: Debian and most others have glibc, Alpine has musl. */
function libc(): 'glibc' | 'musl' {
  const { report } = process;
  // The part of the report that names network interfaces may wait for name servers.
  Reflect.set(report, 'excludeNetwork', true);
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}
