import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sqliteAddonFile } from '../../program-files.js';

/**
 * Takes the place of `node-gyp-build` in the built program (src/tools/build-program.mjs): the addons of all systems lie in
 * its folder, so that nothing is searched for and nothing is compiled.
 */
export default function loadSqliteAddon(): unknown {
  const file = sqliteAddonFile();
  if (existsSync(file)) return createRequire(import.meta.url)(file);
  const { platform, arch } = process;
  throw new Error(
    `this package has no SQLite for ${platform}-${arch}; use PostgreSQL (DATABASE_URL), or Linux, macOS or Windows on x64 or arm64`,
  );
}
