import { type DocumentNode, GraphQLError, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { excessOfVariables } from '../../src/graphql/limits/argument-limits.js';
import { limitDocuments } from '../../src/graphql/limits/document-limits.js';
import { excessOfDocument } from '../../src/graphql/limits/document-size.js';
import { createFairQueue } from '../../src/graphql/limits/fair-queue.js';
import { costOf as countOf, excessOfCost } from '../../src/graphql/limits/query-cost.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { excessOfJson, MAX_JSON_BYTES } from '../../src/graphql/server/json-limits.js';
import { QUERIES_OF_DEATH } from '../graphql/queries-of-death.js';
import { documentAt } from './documents.js';

/** What the program can say of queries is not written down from memory. */

const { queryLimits } = readConfig({});

describe('the cost of a query in docs/limits.md', () => {
  const [, query = '', cost, of] = found(/The query\s+`(\{[^`]+\})`\s+costs\s+([\d,]+)\s+of\s+([\d,]+)/);

  it('is what the program counts', () => {
    expect(numberOf(cost)).toBe(costOf(query));
  });

  it('stands beside the limit that holds unless somebody says otherwise', () => {
    expect(numberOf(of)).toBe(queryLimits.maxCost);
  });

  it('is made of what the table says: pages of unknown size, other lists, searches', () => {
    const [, pages, lists, search] = found(
      /all pages around it \((\d+) if no size is given; a time series its columns; (\d+) for other lists\); a `search` is ([\d,]+) more/,
    );

    expect(costOf('{ devices { nodes { key } } }')).toBe(
      costOf(`{ devices(first: ${pages}) { nodes { key } } }`),
    );
    const ofReport = (fields: string) => costOf(`{ coredump(id: "x") { report { tasks { ${fields} } } } }`);
    expect(ofReport('crashed stackCorrupted') - ofReport('crashed')).toBe(numberOf(lists));
    expect(
      costOf('{ coredumps(filter: { search: "x" }) { totalCount } }') -
        costOf('{ coredumps { totalCount } }'),
    ).toBe(numberOf(search));
  });
});

describe('the table of limits in docs/limits.md', () => {
  const [, table = ''] = found(/\| `limit` \| default \|[^\n]*\n\| --- [^\n]*\n((?:\|[^\n]*\n)+)/);
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .flatMap(([, names = '', defaults = '']) => {
      const values = defaults.split(/, (?=\d|`)/);
      return names.split(', ').map((name, index) => [name.replaceAll('`', ''), values[index] ?? ''] as const);
    });

  it.each(rows.filter(([, value]) => /^\d/.test(value)))(
    'says what the program refuses: %s',
    (limit, value) => {
      expect(maxOf(limit)).toBe(numberOf(value));
    },
  );

  it('names every limit that a query can break', () => {
    const named = rows.map(([limit]) => limit);

    expect(
      [...new Set(QUERIES_OF_DEATH.map(([, limit]) => limit))].filter((it) => !named.includes(it)),
    ).toEqual([]);
  });

  it('has what holds for the JSON of a whole request', () => {
    const [, nesting] = found(/within each other in variables; (\d+) in the JSON of a whole request/);
    const [, kibibytes] = found(/with at most (\d+) KiB of JSON/);

    expect(excessOfJson(Buffer.from('['.repeat(1_000)))?.max).toBe(numberOf(nesting));
    expect(MAX_JSON_BYTES / 1024).toBe(numberOf(kibibytes));
  });
});

function costOf(query: string): number {
  return count(parse(query));
}

function count(document: DocumentNode, variables: Record<string, unknown> = {}): number {
  const operation = getOperationAST(document);
  if (operation == null) throw new Error('one operation is measured');
  return countOf({ schema, document, operation, variables });
}

/** What the program names as the limit when it refuses a query for it. */
function maxOf(limit: string): unknown {
  if (limit === 'waitingAnswers') return createFairQueue().maxWaiting;
  if (limit === 'values') return excessOfJson(Buffer.from(`[${'1,'.repeat(100_000)}1]`))?.max;
  if (limit === 'nesting')
    return excessOfVariables(JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`))?.max;
  for (const [, , query, variables = {}] of QUERIES_OF_DEATH.filter(([, broken]) => broken === limit)) {
    try {
      const document = parseAsTheServer(query);
      const excess =
        excessOfDocument(document, { ...variables }, queryLimits) ??
        excessOfCost(count(document, { ...variables }), queryLimits.maxCost);
      return excess?.max;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return error.extensions.max;
    }
  }
  throw new Error(`no query breaks the limit ${limit}`);
}

function parseAsTheServer(query: string): ReturnType<typeof parse> {
  let parseShort: typeof parse = parse;
  const { onParse } = limitDocuments(queryLimits, () => {});
  void onParse?.({
    context: {},
    setParseFn: (given: typeof parse) => {
      parseShort = given;
    },
  } as never);
  return parseShort(query);
}

function found(pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(documentAt('docs/limits.md'));
  if (match === null) throw new Error(`docs/limits.md does not have ${pattern}`);
  return match;
}

function numberOf(text: string | undefined): number {
  return Number(text?.replaceAll(',', ''));
}
