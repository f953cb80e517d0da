/**
 * `migrations check`    fails when the migrations of a database do not result in prisma/models.prisma
 * `migrations new NAME` writes, for each database, the missing migration from its migrations to the models
 *
 * It applies the migrations to an empty database and reads that database's schema.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { migratePostgresql } from '../platform/database/postgresql/migrate-postgresql.js';
import { createSqliteAdapterFactory } from '../platform/database/sqlite/adapter.js';
import { migrateSqlite } from '../platform/database/sqlite/migrate-sqlite.js';
import { startPostgresql } from './postgresql-cluster.js';
import { NO_POSTGRESQL } from './postgresql-programs.js';
import { openSchemaEngine } from './schema-engine.js';

/** Type ids of PostgreSQL's pg_type. */
const [CHAR, TEXT] = [18, 25];
/** Prisma's own table, which is not in the models. */
const RECORDS = '_prisma_migrations';
/**
 * SQLite's index of words: a virtual table with its internal tables. It is made in SQL, which models cannot express.
 */
const SEARCH_TABLES = ['', '_config', '_data', '_docsize', '_idx'].map((name) => `CoredumpSearch${name}`);
/** Its ids are 64-bit. SQLite counts such ids in an INTEGER column, and the models take every INTEGER for an Int. */
const CHANGES = 'Change';

/** Calls `use` with an empty database to which the migrations were applied. @returns null when it is not available */
type WithMigrated = <T>(use: (database: SqlDriverAdapterFactory) => Promise<T>) => Promise<T | null>;

const DATABASES: Record<string, WithMigrated> = { sqlite: withSqlite, postgresql: withPostgresql };

const { positionals } = parseArgs({ allowPositionals: true });
const [command, title] = positionals;

if (command === 'check') {
  for (const [name, difference] of await differences()) {
    process.stderr.write(
      `prisma/${name}/migrations do not result in prisma/models.prisma; \`npm run migration:new -- NAME\` would add:\n\n${difference}\n`,
    );
    process.exitCode = 1;
  }
} else if (command === 'new' && title !== undefined && /^[a-z0-9_]+$/.test(title)) {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const missing = await differences();
  for (const [name, sql] of missing) {
    const folder = join('prisma', name, 'migrations', `${stamp}_${title}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'migration.sql'), sql);
    process.stdout.write(`${join(folder, 'migration.sql')}\n`);
  }
  if (missing.length === 0) process.stdout.write('Nothing to do.\n');
} else {
  process.stderr.write('usage: migrations check | migrations new NAME (a-z, 0-9 and _)\n');
  process.exitCode = 2;
}

/** The SQL that is missing from the migrations, for each database with a difference. */
async function differences(): Promise<Array<[name: string, sql: string]>> {
  const found: Array<[string, string]> = [];
  for (const [name, withMigrated] of Object.entries(DATABASES)) {
    const sql = await withMigrated((database) => differenceToModels(`prisma/${name}`, database));
    if (sql !== null) found.push([name, sql]);
  }
  return found;
}

async function differenceToModels(
  folder: string,
  migratedDatabase: SqlDriverAdapterFactory,
): Promise<string | null> {
  const [settings, models] = await Promise.all(
    ['schema.prisma', 'models.prisma'].map(async (path) => ({
      path,
      content: await readFile(join(folder, path), 'utf8'),
    })),
  );
  if (settings === undefined || models === undefined) throw new Error(`${folder} has no schema`);
  const target = { files: [settings, models], configDir: folder };
  const engine = await openSchemaEngine(migratedDatabase);
  const migrated = await engine.introspect({
    schema: { files: [settings] },
    baseDirectoryPath: '.',
    force: true,
    compositeTypeDepth: 0,
    namespaces: null,
  });
  const { stdout } = await engine.diff({
    from: { tag: 'schemaDatamodel', files: migrated.schema.files },
    to: { tag: 'schemaDatamodel', ...target },
    script: true,
    exitCode: null,
    filters: {
      // Names of PostgreSQL's tables must contain their schema, those of SQLite must not.
      externalTables:
        migratedDatabase.provider === 'sqlite' ? [RECORDS, CHANGES, ...SEARCH_TABLES] : [`public.${RECORDS}`],
      externalEnums: [],
    },
  });
  return stdout === null || /^\s*(-- This is an empty migration\.)?\s*$/.test(stdout) ? null : stdout;
}

async function withSqlite<T>(use: (database: SqlDriverAdapterFactory) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-migrations-'));
  try {
    const file = join(folder, 'migrated.db');
    migrateSqlite(file);
    return await use(createSqliteAdapterFactory(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withPostgresql<T>(use: (database: SqlDriverAdapterFactory) => Promise<T>): Promise<T | null> {
  const cluster = await startPostgresql();
  if (cluster === null) {
    process.stderr.write(`SKIPPED: prisma/postgresql/migrations (${NO_POSTGRESQL})\n`);
    return null;
  }
  try {
    await migratePostgresql({ connectionString: cluster.url });
    const pool = openCatalogue(cluster.url);
    return await use(new PrismaPg(pool)).finally(() => pool.end());
  } finally {
    await cluster.close();
  }
}

/** The adapter does not support the one-byte type "char" of PostgreSQL's catalogue, so it is reported as text. */
function openCatalogue(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url });
  const query = pool.query.bind(pool);
  return Object.assign(pool, {
    async query(...args: unknown[]) {
      const answer = await Reflect.apply(query, pool, args);
      for (const field of answer.fields) if (field.dataTypeID === CHAR) field.dataTypeID = TEXT;
      return answer;
    },
  });
}
