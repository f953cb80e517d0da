import { listGroups } from '../crash-groups/queries.js';
import type { CrashGroupRow, GroupOrder } from '../crash-groups/types.js';
import { createDeviceQueries } from '../devices/loaders.js';
import type { DeviceRow } from '../devices/types.js';
import { badInput } from '../errors.js';
import { searchOutputs } from '../platform/database/text-search.js';
import type { Database } from '../platform/database/types.js';

/** A word or phrase that must occur. `isPrefix`: its last word may continue in the text. */
export interface SearchTerm {
  words: string[];
  isPrefix: boolean;
}

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
    return words.length === 0 ? [] : [{ words: [...words], isPrefix: quoted === undefined }];
  });
  if (terms.length === 0) throw badInput('A search needs at least one letter or digit.', { field: 'query' });
  if (terms.length > MAX_TERMS)
    throw badInput(`A search has at most ${MAX_TERMS} words and phrases.`, { field: 'query' });
  return terms;
}

export type Search = ReturnType<typeof createSearch>;

export interface Found {
  terms: SearchTerm[];
  /** Newest first. */
  coredumpIds: number[];
  /** All words in title, reason, culprit, assignee or note; the latest crash first. */
  crashGroups: CrashGroupRow[];
  /** All words in key or name, newest first. */
  devices: DeviceRow[];
}

const MAX_FOUND = 50;

/** The search field of the page: dumps by the text of their reports, groups and devices by their names. */
export function createSearch(database: Pick<Database, 'db' | 'isShared'>) {
  const devices = createDeviceQueries(database.db);
  return {
    /** @param take number of results of each kind. @throws DomainError BAD_USER_INPUT */
    async find(query: string, take: number): Promise<Found> {
      if (take < 1 || take > MAX_FOUND)
        throw badInput(`"first" is from 1 to ${MAX_FOUND}.`, { field: 'first' });
      const terms = readQuery(query);
      const search = terms.flatMap(({ words }) => words).join(' ');
      const [coredumpIds, crashGroups, found] = await Promise.all([
        searchOutputs(database, terms, take),
        listGroups(database.db, { search }, { order: LATEST_FIRST, take }),
        devices.list({ search }, { take }),
      ]);
      return { terms, coredumpIds, crashGroups, devices: found };
    },
  };
}

const LATEST_FIRST: GroupOrder = { field: 'LAST_SEEN_AT', direction: 'DESC' };
const BEFORE = 60;
const AFTER = 100;

/** The first match with the text around it on its line, in parts of plain text. */
export function snippetOf(output: string, terms: readonly SearchTerm[]): SnippetPart[] {
  const pattern = new RegExp(terms.map(patternOf).join('|'), 'giu');
  const first = pattern.exec(output);
  if (first === null) return [];
  const line = output.slice(0, first.index).lastIndexOf('\n') + 1;
  const end = output.indexOf('\n', first.index);
  const from = Math.max(line, first.index - BEFORE);
  const text = output.slice(from, Math.min(end < 0 ? output.length : end, first.index + AFTER));
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

function patternOf({ words, isPrefix }: SearchTerm): string {
  const word = '[\\p{L}\\p{N}]';
  return `(?<!${word})${words.join('[^\\p{L}\\p{N}]+')}${isPrefix ? `${word}*` : `(?!${word})`}`;
}
