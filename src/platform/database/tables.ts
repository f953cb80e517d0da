import { getDatamodel } from './generated/pothos-types.js';
import type { Database, Db, DbTransaction } from './types.js';

/** A table as the models describe it: additions to `models.prisma` appear here automatically. */
export interface Table {
  /** Name of the model, which is also the name of the table. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key. */
  readonly key: readonly string[];
  /** The auto-increment column. */
  readonly counted: string | null;
  /** Tables that rows of this one reference. */
  readonly parents: readonly string[];
}

interface Column {
  readonly name: string;
  /** Prisma's scalar type: Int, String, DateTime, … */
  readonly type: string;
}

/** Column values; dates are `Date`, bytes `Uint8Array`. */
export type Row = Record<string, unknown>;

/** Rows in memory at once: texts of a dump may have a megabyte each. */
const BATCH = 100;

/**
 * Tables that triggers fill from rows of other tables, also from imported rows. The change feed has an identity that
 * belongs to one database and must not be copied.
 */
const DERIVED = ['StoredBytes', 'Change', 'ChangeFeed'];

/**
 * Every table of the program, each after the tables that it references.
 * @throws Error (a mistake in the models) when two tables reference each other
 */
export function allTables(): Table[] {
  const models = Object.entries(getDatamodel().datamodel.models).filter(([name]) => !DERIVED.includes(name));
  const waiting = models.map(([name, model]) => toTable(name, model));
  const ordered: Table[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex(({ parents }) =>
      parents.every((parent) => ordered.some(({ name }) => name === parent)),
    );
    const [next] = at < 0 ? [] : waiting.splice(at, 1);
    if (next === undefined) {
      throw new Error(`tables that refer to each other: ${waiting.map(({ name }) => name).join(', ')}`);
    }
    ordered.push(next);
  }
  return ordered;
}

/** @throws Error (a bug) when the table does not exist */
export function tableNamed(name: string): Table {
  const model = Object.entries(getDatamodel().datamodel.models).find(([each]) => each === name)?.[1];
  if (model === undefined) throw new Error(`there is no table ${name}`);
  return toTable(name, model);
}

type Model = ReturnType<typeof getDatamodel>['datamodel']['models'][string];

function toTable(name: string, { fields, primaryKey }: Model): Table {
  const id = fields.find(({ isId }) => isId);
  const key = primaryKey?.fields ?? (id === undefined ? [] : [id.name]);
  if (key.length === 0) throw new Error(`the table ${name} has no primary key`);
  const isCounted = id?.hasDefaultValue === true && /^(Int|BigInt)$/.test(id.type);
  return {
    name,
    columns: fields
      .filter(({ kind }) => kind !== 'object')
      .map((field) => ({ name: field.name, type: field.type })),
    key,
    counted: isCounted ? id.name : null,
    parents: fields
      .filter(({ relationFromFields }) => relationFromFields !== undefined && relationFromFields.length > 0)
      .map(({ type }) => type),
  };
}

export function countRows(db: Db | DbTransaction, table: Table): Promise<number> {
  return methodsOf(db, table).count();
}

/** All rows in the order of their keys, read in batches. */
export async function* readRows(db: Db, table: Table): AsyncGenerator<Row> {
  const methods = methodsOf(db, table);
  const orderBy = table.key.map((name) => ({ [name]: 'asc' }));
  let last: Row | undefined;
  do {
    const after = last === undefined ? {} : { cursor: cursorAt(table, last), skip: 1 };
    const rows = await methods.findMany({ orderBy, take: BATCH, ...after });
    yield* rows;
    last = rows.length < BATCH ? undefined : rows.at(-1);
  } while (last !== undefined);
}

/** Inserts rows unchanged, keys included. */
export async function insertRows(tx: DbTransaction, table: Table, rows: AsyncIterable<Row>): Promise<number> {
  const methods = methodsOf(tx, table);
  let count = 0;
  let batch: Row[] = [];
  const flush = async () => {
    if (batch.length > 0) await methods.createMany({ data: batch });
    count += batch.length;
    batch = [];
  };
  for await (const row of rows) {
    batch.push(row);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return count;
}

/** Deletes rows by their single-column key, and their dependent rows. */
export async function deleteRows(tx: DbTransaction, table: Table, keys: readonly number[]): Promise<void> {
  const [key] = table.key;
  if (key === undefined || keys.length === 0) return;
  for (let at = 0; at < keys.length; at += BATCH) {
    await methodsOf(tx, table).deleteMany({ where: { [key]: { in: keys.slice(at, at + BATCH) } } });
  }
}

/** The highest key that the database has assigned in this table, including keys of deleted rows. */
export async function lastCounted(
  { db, isShared }: Pick<Database, 'db' | 'isShared'>,
  { name, counted }: Table,
): Promise<number> {
  const rows: Array<{ last: number | bigint | null }> = isShared
    ? await db.$queryRaw`SELECT pg_sequence_last_value(pg_get_serial_sequence(${`"${name}"`}, ${counted})::regclass) AS "last"`
    : await db.$queryRaw`SELECT "seq" AS "last" FROM "sqlite_sequence" WHERE "name" = ${name}`;
  return Number(rows[0]?.last ?? 0);
}

/** Makes the next row get a key higher than `last`. */
export async function continueKeysAfter(
  tx: DbTransaction,
  { name, counted }: Table,
  { last, isShared }: { last: number; isShared: boolean },
): Promise<void> {
  if (last === 0) return;
  if (isShared) {
    await tx.$queryRaw`SELECT setval(pg_get_serial_sequence(${`"${name}"`}, ${counted}), ${last}::bigint)`;
    return;
  }
  await tx.$executeRaw`DELETE FROM "sqlite_sequence" WHERE "name" = ${name}`;
  await tx.$executeRaw`INSERT INTO "sqlite_sequence" ("name", "seq") VALUES (${name}, ${last})`;
}

/** The methods of a Prisma model that this file uses, the same for every model. */
interface Methods {
  count(): Promise<number>;
  findMany(args: object): Promise<Row[]>;
  createMany(args: { data: Row[] }): Promise<unknown>;
  deleteMany(args: { where: object }): Promise<unknown>;
}

function methodsOf(db: Db | DbTransaction, { name }: Table): Methods {
  // Prisma names them after the model, with a lower-case first letter.
  const methods = Reflect.get(db, name.charAt(0).toLowerCase() + name.slice(1)) as Methods | undefined;
  if (methods === undefined) throw new Error(`the database client knows no table ${name}`);
  return methods;
}

/** Prisma joins the columns of a compound key to one name, unless the models name it. */
function cursorAt({ key }: Table, row: Row): object {
  const values = Object.fromEntries(key.map((name) => [name, row[name]]));
  return key.length === 1 ? values : { [key.join('_')]: values };
}
