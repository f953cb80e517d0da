import { badInput } from '../errors.js';
import type { Firmware } from '../firmware/types.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { containsWords, searchOutputs } from '../platform/database/text-search.js';
import type { Database } from '../platform/database/types.js';
import { createKindSearch } from './by-kind.js';
import { createSuggestions } from './suggestions.js';
import type { SearchTerm } from './types.js';

export interface SnippetPart {
  text: string;
  isMatch: boolean;
}

const MAX_QUERY = 200;
const MAX_TERMS = 10;

/**
 * `sensor_re abort "queue full"`: all three must occur, in upper or lower case. Words are prefixes; text in quotes is a
 * phrase of whole words. A word has letters and digits; words joined by other characters (`_`, `.`, `/`) are a phrase.
 *
 * @throws DomainError BAD_USER_INPUT
 */
export function readQuery(text: string): SearchTerm[] {
  if (text.length > MAX_QUERY)
    throw badInput(`A search has at most ${MAX_QUERY} characters.`, { field: 'query' });
  const terms = [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)].flatMap(([all, quoted]) => {
    const words = (quoted ?? all).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    if (words.length === 0) return [];
    const address = quoted === undefined ? addressOf(all) : null;
    return [{ words: [...words], isPrefix: quoted === undefined, ...(address === null ? {} : { address }) }];
  });
  if (terms.length === 0) throw badInput('A search needs at least one letter or digit.', { field: 'query' });
  if (terms.length > MAX_TERMS)
    throw badInput(`A search has at most ${MAX_TERMS} words and phrases.`, { field: 'query' });
  return terms;
}

/** Reports write addresses with eight digits. @returns null when the word is no address, or is written so already */
function addressOf(word: string): string | null {
  const digits = /^0x([0-9a-f]{1,7})$/i.exec(word)?.[1];
  return digits === undefined ? null : `0x${digits.toLowerCase().padStart(8, '0')}`;
}

export type Search = ReturnType<typeof createSearch>;

/** A dump whose output has all terms. `id` is the dump's. */
export interface Hit {
  id: number;
  terms: readonly SearchTerm[];
}

/**
 * Dumps by the text of their reports, and builds; all kinds at once for a search box. Groups and devices are found by the
 * lists of their own rooms as well.
 */
export function createSearch(database: Pick<Database, 'db' | 'isShared'>) {
  const { db } = database;
  return {
    /** What people see of each kind, a few and how many there are. */
    byKind: createKindSearch(database, visibleHits),
    suggest: createSuggestions(db),

    /**
     * Newest first.
     *
     * @param visibleText what the reader may see of an output, in which all terms must occur as well: the index has all
     *   of it, and a hit would tell what the rest says
     */
    async hits(
      terms: readonly SearchTerm[],
      window: PageWindow,
      visibleText: ((output: string) => string) | null,
    ): Promise<Hit[]> {
      const ids =
        visibleText === null
          ? await searchOutputs(database, terms, window)
          : await visibleHits(terms, window, visibleText, MOST_READ);
      return ids.map((id) => ({ id, terms }));
    },

    /** Builds by version or by the first digits of the ELF's SHA-256, newest first. */
    async firmwares(query: string, { take, beforeId, afterId, fromEnd }: PageWindow): Promise<Firmware[]> {
      const all = [
        ...buildsWith(query),
        ...(beforeId === undefined ? [] : [Prisma.sql`f."id" < ${beforeId}`]),
        ...(afterId === undefined ? [] : [Prisma.sql`f."id" > ${afterId}`]),
      ];
      const rows = await db.$queryRaw<Firmware[]>`
        SELECT f.* FROM "Firmware" f WHERE ${Prisma.join(all, ' AND ')}
        ORDER BY f."id" ${fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${take}`;
      return fromEnd === true ? rows.reverse() : rows;
    },
    async countFirmwares(query: string): Promise<number> {
      const [row] = await db.$queryRaw<Array<{ count: number | bigint }>>`
        SELECT count(*) AS "count" FROM "Firmware" f WHERE ${Prisma.join(buildsWith(query), ' AND ')}`;
      return Number(row?.count ?? 0);
    },
  };

  async function visibleHits(
    terms: readonly SearchTerm[],
    { take, ...bounds }: PageWindow,
    visibleText: (output: string) => string,
    mostRead: number,
  ): Promise<number[]> {
    const patterns = terms.map((term) => new RegExp(patternOf(term), 'iu'));
    const found: number[] = [];
    let window: PageWindow = { ...bounds, take: READ_AT_ONCE };
    for (let read = 0; read < mostRead && found.length < take; read += READ_AT_ONCE) {
      const ids = await searchOutputs(database, terms, window);
      if (ids.length > 0) {
        const rows = await db.coredumpText.findMany({
          where: { coredumpId: { in: ids } },
          select: { coredumpId: true, output: true },
        });
        const visible = new Set(
          rows
            .filter(({ output }) => matchesAll(patterns, visibleText(output)))
            .map(({ coredumpId }) => coredumpId),
        );
        const inOrder = bounds.fromEnd === true ? ids.toReversed() : ids;
        found.push(...inOrder.filter((id) => visible.has(id)));
      }
      const [newest, oldest] = [ids[0], ids.at(-1)];
      if (newest === undefined || oldest === undefined || ids.length < READ_AT_ONCE) break;
      window = bounds.fromEnd === true ? { ...window, afterId: newest } : { ...window, beforeId: oldest };
    }
    const taken = found.slice(0, take);
    return bounds.fromEnd === true ? taken.reverse() : taken;
  }
}

/** Outputs that are read in one statement, and for one page: a word may occur in thousands of logs. */
const READ_AT_ONCE = 20;
const MOST_READ = 1_000;

function matchesAll(patterns: readonly RegExp[], text: string): boolean {
  return patterns.every((pattern) => pattern.test(text));
}

/** The words of a query for lists that search in names: all must occur. */
export function wordsOf(terms: readonly SearchTerm[]): string {
  return terms.flatMap(({ words }) => words).join(' ');
}

/** One condition at least: a query has a letter or digit. A version is searched as it was typed: "1.2" is no "2.1". */
function buildsWith(query: string): Prisma.Sql[] {
  return containsWords(
    query.replaceAll('"', ' '),
    (isIn, word) =>
      Prisma.sql`(${isIn(Prisma.sql`f."version"`)} OR substr(f."elfSha256", 1, ${word.length}) = lower(${word}))`,
  );
}

const BEFORE = 60;
const AFTER = 100;

/** The first match with the words around it on its line, in parts of plain text; "…" where the line goes on. */
export function snippetOf(output: string, terms: readonly SearchTerm[]): SnippetPart[] {
  const pattern = new RegExp(terms.map(patternOf).join('|'), 'giu');
  const first = pattern.exec(output);
  if (first === null) return [];
  const line = output.slice(0, first.index).lastIndexOf('\n') + 1;
  const end = output.indexOf('\n', first.index);
  const text =
    lastWords(output.slice(line, first.index)) +
    firstWords(output.slice(first.index, end < 0 ? undefined : end), first[0].length);
  const parts: SnippetPart[] = [];
  pattern.lastIndex = 0;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) parts.push({ text: text.slice(at, match.index), isMatch: false });
    parts.push({ text: match[0], isMatch: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMatch: false });
  return parts;
}

function lastWords(text: string): string {
  if (text.length <= BEFORE) return text;
  const cut = text.slice(-BEFORE);
  return `…${cut.slice(cut.search(/\s/) + 1)}`;
}

/** @param atLeast characters that stay whatever they are */
function firstWords(text: string, atLeast: number): string {
  if (text.length <= AFTER) return text;
  const cut = text.slice(0, Math.max(AFTER, atLeast));
  const end = cut.search(/\s\S*$/);
  return `${end >= atLeast ? cut.slice(0, end) : cut}…`;
}

function patternOf({ words, isPrefix, address }: SearchTerm): string {
  const word = '[\\p{L}\\p{N}]';
  const asTyped = `${words.join('[^\\p{L}\\p{N}]+')}${isPrefix ? `${word}*` : `(?!${word})`}`;
  return `(?<!${word})(?:${asTyped}${address === undefined ? '' : `|${address}(?!${word})`})`;
}
