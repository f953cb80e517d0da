/**
 * `npm run migration:check`       fails when the migrations do not lead to prisma/models.prisma
 * `npm run migration:new -- NAME` writes the migration from what the migrations make to what the models say
 *
 * What the migrations make is seen by applying them to an empty database and reading its schema back.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrateSqlite } from '../platform/database/migrate.js';
import { createSqliteAdapterFactory } from '../platform/database/sqlite-adapter.js';
import { openSchemaEngine } from './schema-engine.js';

const { positionals } = parseArgs({ allowPositionals: true });
const [command, name] = positionals;
const difference = await differenceToModels();

if (command === 'check') {
  if (difference !== null) {
    process.stderr.write(
      `prisma/sqlite/migrations do not lead to prisma/models.prisma; \`npm run migration:new -- NAME\` would add:\n\n${difference}\n`,
    );
    process.exitCode = 1;
  }
} else if (command === 'new' && name !== undefined && /^[a-z0-9_]+$/.test(name)) {
  process.stdout.write(
    difference === null ? 'Nothing to do.\n' : `${await writeMigration(name, difference)}\n`,
  );
} else {
  process.stderr.write('usage: migrations check | migrations new NAME (a-z, 0-9 and _)\n');
  process.exitCode = 2;
}

/** SQL that is missing from the migrations; null when nothing is. */
async function differenceToModels(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-migrations-'));
  try {
    const file = join(folder, 'migrated.db');
    migrateSqlite(file);
    const schema = {
      files: await Promise.all(
        ['schema.prisma', 'models.prisma'].map(async (path) => ({
          path,
          content: await readFile(join('prisma/sqlite', path), 'utf8'),
        })),
      ),
      configDir: 'prisma/sqlite',
    };
    const engine = await openSchemaEngine(createSqliteAdapterFactory(file));
    const migrated = await engine.introspect({
      schema: { files: [schema.files[0] ?? { path: '', content: '' }] },
      baseDirectoryPath: '.',
      force: true,
      compositeTypeDepth: 0,
      namespaces: null,
    });
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatamodel', files: migrated.schema.files },
      to: { tag: 'schemaDatamodel', ...schema },
      script: true,
      exitCode: null,
      filters: { externalTables: ['_prisma_migrations'], externalEnums: [] },
    });
    return stdout === null || /^\s*(-- This is an empty migration\.)?\s*$/.test(stdout) ? null : stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeMigration(title: string, sql: string): Promise<string> {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = join('prisma/sqlite/migrations', `${stamp}_${title}`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'migration.sql');
  await writeFile(path, sql);
  return path;
}
