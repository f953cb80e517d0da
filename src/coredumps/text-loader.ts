import * as z from 'zod';
import type { CrashReport } from '../crashdump/index.js';
import { MAX_PARENTS } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import DataLoader, { scheduleBatch } from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { readReport } from './report-schema.js';

/** A request that reads texts, with the limits of its answer. */
export interface TextReader {
  /** Called before anything is read, with the size of all requested texts. @returns false to read none */
  admitTexts(bytes: number): Promise<boolean>;
  /** Whether the request still needs the texts. */
  admit(bytes: 0): boolean;
  /** Pauses between two texts so that other clients are served; null to read without pauses. */
  readonly slices: { isOver(): boolean; later(item: null): Promise<null> } | null;
}

export type TextLoader = ReturnType<typeof createTextLoader>;

type Part = 'output' | 'report';

interface Wanted {
  coredumpId: number;
  part: Part;
  /** How many times the text will be in the answer. */
  copies: number;
  reader: TextReader;
  settle(text: string | null): void;
  fail(error: unknown): void;
}

/** Stored bytes that one statement reads. */
const CHUNK_BYTES = 128 * 1024;

/**
 * Loads texts and reports, which are large and which lists never read. One statement reads their sizes first: a request
 * over its limit is refused before any text is read. Then the texts are read in chunks, so that other requests run in
 * between.
 *
 * For one request or event. A text that was read once is reused, but each reader's limit is checked all the same.
 */
export function createTextLoader(db: Db) {
  const sizes = new DataLoader<number, Sizes>((ids) => readSizes(db, ids), {
    maxBatchSize: MAX_PARENTS,
  });
  const reports = new Map<number, Promise<CrashReport | null>>();
  let wanted: Wanted[] = [];

  return {
    output: (coredumpId: number, reader: TextReader) =>
      load({ coredumpId, part: 'output', copies: 1, reader }),

    /** @param copies how many times the answer contains a part of it, under different aliases */
    async report(coredumpId: number, copies: number, reader: TextReader): Promise<CrashReport | null> {
      const text = await load({ coredumpId, part: 'report', copies, reader });
      if (text === null) return null;
      const report = reports.get(coredumpId) ?? Promise.resolve(readReport(storedJson.parse(text)));
      reports.set(coredumpId, report);
      return report;
    },
  };

  function load(what: Omit<Wanted, 'settle' | 'fail'>): Promise<string | null> {
    return new Promise((settle, fail) => {
      wanted.push({ ...what, settle, fail });
      if (wanted.length === 1) scheduleBatch(readWanted);
    });
  }

  function readWanted(): void {
    const all = wanted;
    wanted = [];
    for (const reader of new Set(all.map((one) => one.reader))) {
      const own = all.filter((one) => one.reader === reader);
      readFor(reader, own).catch((error: unknown) => {
        for (const { fail } of own) fail(error);
      });
    }
  }

  async function readFor(reader: TextReader, own: readonly Wanted[]): Promise<void> {
    const stored = await Promise.all(own.map((one) => sizes.load(one.coredumpId)));
    const found = own.flatMap((one, index): Sized[] => {
      const bytes = stored[index]?.[one.part] ?? null;
      if (bytes !== null) return [{ one, bytes }];
      one.settle(null);
      return [];
    });
    if (found.length === 0) return;
    const bytes = found.reduce((sum, each) => sum + each.bytes * each.one.copies, 0);
    if (!(await reader.admitTexts(bytes))) {
      for (const { one } of found) one.settle(null);
      return;
    }
    for (const part of ['output', 'report'] as const) {
      const ofPart = found.filter(({ one }) => one.part === part);
      for (const chunk of chunksOf(ofPart)) {
        const texts = reader.admit(0) ? await readTexts(db, part, chunk) : new Map<number, string>();
        for (const { one } of chunk) {
          if (reader.slices?.isOver()) await reader.slices.later(null);
          one.settle(texts.get(one.coredumpId) ?? null);
        }
      }
    }
  }
}

/** Size in bytes; null without a text. */
type Sizes = Record<Part, number | null>;
type Sized = { one: Wanted; bytes: number };

/** The same dump twice goes into one chunk if possible, and is then read once. */
function chunksOf(found: readonly Sized[]): Sized[][] {
  const chunks: Sized[][] = [];
  let bytesOfLast = CHUNK_BYTES;
  for (const each of [...found].sort((a, b) => a.one.coredumpId - b.one.coredumpId)) {
    if (bytesOfLast + each.bytes > CHUNK_BYTES || chunks.length === 0) {
      chunks.push([]);
      bytesOfLast = 0;
    }
    chunks.at(-1)?.push(each);
    bytesOfLast += each.bytes;
  }
  return chunks;
}

/**
 * Sizes that both databases know without reading the texts. While a dump is parsed again, its earlier text is hidden.
 */
async function readSizes(db: Db, ids: readonly number[]): Promise<Sizes[]> {
  const rows = await db.lookup<Sizes & { coredumpId: number }>(Prisma.sql`
    SELECT "coredumpId", octet_length("output") AS "output", octet_length("report") AS "report"
    FROM "CoredumpText" t WHERE "coredumpId" IN (${Prisma.join([...ids])})
      AND NOT EXISTS (SELECT 1 FROM "EarlierReading" e WHERE e."coredumpId" = t."coredumpId")`);
  const byId = new Map(rows.map((row) => [row.coredumpId, row]));
  return ids.map((id) => byId.get(id) ?? { output: null, report: null });
}

async function readTexts(db: Db, part: Part, chunk: readonly Sized[]): Promise<Map<number, string>> {
  const ids = [...new Set(chunk.map(({ one }) => one.coredumpId))];
  const column = part === 'output' ? Prisma.sql`"output"` : Prisma.sql`"report"`;
  const rows = await db.lookup<{ coredumpId: number; text: string | null }>(Prisma.sql`
    SELECT "coredumpId", ${column} AS "text" FROM "CoredumpText" WHERE "coredumpId" IN (${Prisma.join(ids)})`);
  return new Map(rows.flatMap(({ coredumpId, text }) => (text === null ? [] : [[coredumpId, text]])));
}

const storedJson = z.string().transform((text): unknown => JSON.parse(text));
