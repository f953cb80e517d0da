import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Config } from '../config/settings.js';

/**
 * Every file below a folder of the storage counts as a dump or a build, and is set aside when it has no row. So neither
 * the database nor the other folder of the storage may be inside it.
 *
 * @throws Error with one clear line that names the two settings
 */
export function assertSeparateFolders({
  s3,
  coredumpsDir,
  assetsDir,
  databaseUrl,
  parser,
}: Pick<Config, 's3' | 'coredumpsDir' | 'assetsDir' | 'databaseUrl' | 'parser'>): void {
  if (s3 !== null) return;
  const storages = [
    { setting: 'COREDUMPS_DIR', path: coredumpsDir },
    { setting: 'ASSETS_DIR', path: assetsDir },
  ];
  const others = [
    ...storages,
    ...(databaseUrl.startsWith('file:')
      ? [{ setting: 'DATABASE_URL', path: databaseUrl.slice('file:'.length) }]
      : []),
    ...(parser === null ? [] : [{ setting: 'PARSE_SIDECAR_XFER_DIR', path: parser.xferDir }]),
  ];
  for (const storage of storages) {
    for (const other of others) {
      if (other === storage || !isWithin(other.path, storage.path)) continue;
      throw new Error(
        `${other.setting}: ${other.path} is in ${storage.path}, the folder of ${storage.setting}, where every file ` +
          'counts as a stored dump or build; choose a path outside of it',
      );
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
