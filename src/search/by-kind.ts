import { FINGERPRINT_VERSION } from '../crashdump/index.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { containsWords, searchOutputs } from '../platform/database/text-search.js';
import type { Database } from '../platform/database/types.js';
import { type KindHits, MOST_COUNTED, SEARCH_KINDS, type SearchKind, type SearchTerm } from './types.js';

/** What the reader may see of an output; null: all of it. */
type VisibleText = ((output: string) => string) | null;

type VisibleHits = (
  terms: readonly SearchTerm[],
  window: PageWindow,
  visibleText: (output: string) => string,
  mostRead: number,
) => Promise<number[]>;

/** Outputs that one search of a viewer reads, to look for the words in what the viewer may see. */
const MOST_READ = 100;

/**
 * The search of a search box: each kind costs one or two statements that end after `MOST_COUNTED` hits. What is unique
 * (a key, a serial, a digest, a file name) is found by its index, and its hits come first.
 */
export function createKindSearch(
  database: Pick<Database, 'db' | 'isShared'>,
  visibleHits: VisibleHits,
): (
  query: string,
  terms: readonly SearchTerm[],
  take: number,
  visibleText: VisibleText,
) => Promise<KindHits[]> {
  const { db } = database;
  const finders: Record<SearchKind, Finder> = {
    DEVICE: devices,
    DEVICE_MODEL: models,
    FIRMWARE: builds,
    CRASH_GROUP: groups,
    COREDUMP: dumps,
  };

  return async function byKind(query, terms, take, visibleText) {
    const words = query.replaceAll('"', ' ');
    const question = { words, whole: words.trim(), terms, take, visibleText };
    const found: KindHits[] = [];
    for (const kind of SEARCH_KINDS) {
      const ids = [...new Set(await finders[kind](question))];
      const counted = kind === 'COREDUMP' && visibleText !== null ? take : MOST_COUNTED;
      const count = Math.min(ids.length, counted);
      if (count > 0) found.push({ kind, ids: ids.slice(0, take), count, hasMore: ids.length > counted });
    }
    return found;
  };

  async function idsOf(sql: Prisma.Sql): Promise<number[]> {
    return (await db.lookup<{ id: number }>(sql)).map(({ id }) => id);
  }

  async function devices({ words, whole }: Question): Promise<number[]> {
    const exact = await idsOf(Prisma.sql`
      SELECT d."id" FROM "Device" d WHERE d."key" = ${whole.toLowerCase()}
      UNION SELECT d."id" FROM "Device" d
        WHERE d."modelId" IN (SELECT m."id" FROM "DeviceModel" m) AND d."serial" = ${whole}`);
    const named = all(words, (isIn) => anyOf(isIn, ['key', 'serial', 'name']));
    return [...exact, ...(await idsOf(newest('Device', named)))];
  }

  function models({ words }: Question): Promise<number[]> {
    return idsOf(
      newest(
        'DeviceModel',
        all(words, (isIn) => anyOf(isIn, ['code', 'name'])),
      ),
    );
  }

  function builds({ words }: Question): Promise<number[]> {
    const isVersion = (isIn: IsIn, word: string) =>
      Prisma.sql`(${isIn(Prisma.sql`r."version"`)} OR ${begins('elfSha256', word)} OR ${begins('revision', word)})`;
    return idsOf(newest('Firmware', all(words, isVersion)));
  }

  function groups({ words }: Question): Promise<number[]> {
    return idsOf(Prisma.sql`
      SELECT r."id" FROM "CrashGroup" r WHERE ${all(words, inGroup)}
      ORDER BY r."lastSeenAt" DESC, r."id" DESC LIMIT ${MOST_COUNTED + 1}`);
  }

  async function dumps({ whole, terms, take, visibleText }: Question): Promise<number[]> {
    const named = await idsOf(namedDumps(whole));
    // Nearly every text has a word that begins so, and the index would read all of them.
    if (whole.length < 2) return named;
    const window = { take: visibleText === null ? MOST_COUNTED + 1 : take + 1 };
    const written =
      visibleText === null
        ? await searchOutputs(database, terms, window)
        : await visibleHits(terms, window, visibleText, MOST_READ);
    return [...named, ...written];
  }
}

interface Question {
  /** Without quotes. */
  words: string;
  whole: string;
  terms: readonly SearchTerm[];
  take: number;
  visibleText: VisibleText;
}

type Finder = (question: Question) => Promise<number[]>;

type IsIn = (column: Prisma.Sql) => Prisma.Sql;

/** "r" is the row. Names of tables and columns come from the program, never from a user. */
function newest(table: string, condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`SELECT r."id" FROM ${Prisma.raw(`"${table}"`)} r WHERE ${condition}
    ORDER BY r."id" DESC LIMIT ${MOST_COUNTED + 1}`;
}

/** One condition at least: a query has a letter or digit. */
function all(words: string, condition: (isIn: IsIn, word: string) => Prisma.Sql): Prisma.Sql {
  return Prisma.join(containsWords(words, condition), ' AND ');
}

function anyOf(isIn: IsIn, columns: readonly string[]): Prisma.Sql {
  const each = columns.map((name) => isIn(Prisma.raw(`r."${name}"`)));
  return Prisma.sql`(${Prisma.join(each, ' OR ')})`;
}

function begins(column: string, word: string): Prisma.Sql {
  return Prisma.sql`substr(r.${Prisma.raw(`"${column}"`)}, 1, ${word.length}) = lower(${word})`;
}

const GROUP_COLUMNS = ['title', 'reason', 'culpritFunction', 'culpritFile', 'assignee', 'note'];

function inGroup(isIn: IsIn, word: string): Prisma.Sql {
  const fingerprint = fingerprintFrom(word);
  const byFingerprint =
    fingerprint === null
      ? Prisma.empty
      : Prisma.sql`OR r."id" IN (SELECT s."groupId" FROM "CrashSignature" s
          WHERE s."fingerprint" >= ${fingerprint} AND s."fingerprint" < ${`${fingerprint}g`})`;
  return Prisma.sql`(${anyOf(isIn, GROUP_COLUMNS)} ${byFingerprint} OR r."id" IN (
    SELECT g."groupId" FROM "GroupTag" g JOIN "Tag" t ON t."id" = g."tagId"
    WHERE NOT g."isRemoved" AND ${isIn(Prisma.sql`t."name"`)}))`;
}

/** Fewer digits are no beginning of a digest that somebody copied, but a number or a word. */
const FEWEST_DIGITS = 6;

/** The beginning of a fingerprint as it is stored, `v2:0011…`; null when the word is none. */
function fingerprintFrom(word: string): string | null {
  const [, version = FINGERPRINT_VERSION, digits = ''] = /^(?:(v\d+):)?([0-9a-f]+)$/i.exec(word) ?? [];
  return digits.length < FEWEST_DIGITS ? null : `${version}:${digits}`.toLowerCase();
}

/** Dumps by the beginning of their file name, digest or fingerprint, or of the digest of the ELF that they name. */
function namedDumps(whole: string): Prisma.Sql {
  const digits = /^[0-9a-f]+$/i.test(whole) && whole.length >= FEWEST_DIGITS ? whole.toLowerCase() : null;
  const fingerprint = fingerprintFrom(whole);
  const pages = [
    // What may follow in the name of a file is before "zz" in every order of texts.
    from('filename', whole, `${whole}zz`),
    from('filename', `coredump_${whole}`, `coredump_${whole}zz`),
    ...(digits === null
      ? []
      : [from('sha256', digits, `${digits}g`), from('appElfSha256', digits, `${digits}g`)]),
    ...(fingerprint === null ? [] : [from('fingerprint', fingerprint, `${fingerprint}g`)]),
  ];
  return Prisma.sql`SELECT DISTINCT p."id" FROM (${Prisma.join(pages, ' UNION ALL ')}) p ORDER BY p."id" DESC`;
}

/** A range of an index, and within it the rows that begin so: databases sort texts in orders of their own. */
function from(column: string, first: string, last: string): Prisma.Sql {
  const name = Prisma.raw(`c."${column}"`);
  return Prisma.sql`SELECT * FROM (
    SELECT c."id" FROM "Coredump" c WHERE ${name} >= ${first} AND ${name} < ${last}
      AND substr(${name}, 1, ${first.length}) = ${first} LIMIT ${MOST_COUNTED + 1}) p`;
}
