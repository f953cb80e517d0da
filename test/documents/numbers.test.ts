import { describe, expect, it } from 'vitest';
import { SCHEDULED_WORK, type ScheduledName } from '../../src/compose/background-work.js';
import { RETRY_WINDOW_MS } from '../../src/coredumps/commit.js';
import { DEFAULT_PAGE, MAX_PAGE } from '../../src/graphql/limits/page-sizes.js';
import { HTTP_OPTIONS } from '../../src/http/connection-limits.js';
import { commentsOf, DOCUMENTS, documentAt, readText, sourcesBelow } from './documents.js';

/**
 * Numbers that the program knows, where documents name them. Most are constants that nobody else needs, so they are read
 * from the sources rather than exported for this test.
 */
const NUMBERS: Array<[document: string, says: RegExp, is: () => number, unit?: number]> = [
  ['docs/devices.md', /same bytes within (\w+) minutes/, () => RETRY_WINDOW_MS, 60_000],
  [
    'docs/enrolment.md',
    /within an hour \((\d+) unless/,
    constant('src/devices', 'DEFAULT_NEW_DEVICES_PER_HOUR'),
  ],
  ['docs/enrolment.md', /keeps its (\w+) newest dumps/, constant('src/coredumps', 'MAX_OF_PENDING')],
  ['docs/enrolment.md', /up to (\d+) devices at once/, constant('src/devices', 'MAX_NEW_DEVICES')],
  ['docs/enrolment.md', /up to (\d+) keys/, constant('src/devices', 'MAX_KEYS')],
  ['docs/enrolment.md', /may send (\d+) in a minute/, constant('src/http', 'REPORTS_PER_MINUTE')],
  ['docs/enrolment.md', /at most (\d) KiB/, constant('src/http/boot.ts', 'MAX_BODY_BYTES'), 1_024],
  ['docs/limits.md', /waits keeps (\w+) dumps/, constant('src/coredumps', 'MAX_OF_PENDING')],
  ['docs/limits.md', /may send (\d+) in a minute/, constant('src/http', 'REPORTS_PER_MINUTE')],
  ['docs/limits.md', /report has at most (\d) KiB/, constant('src/http/boot.ts', 'MAX_BODY_BYTES'), 1_024],
  ['docs/limits.md', /([\d,]+) are received at once/, constant('src/http/boot.ts', 'MAX_IN_FLIGHT')],
  ['docs/api.md', /A page has (\d+) nodes/, () => DEFAULT_PAGE],
  ['docs/api.md', /and at most (\d+)\./, () => MAX_PAGE],
  [
    'docs/authentication.md',
    /clocks may differ by (\d+) seconds/,
    constant('src/auth', 'CLOCK_SKEW_SECONDS'),
  ],
  [
    'docs/authentication.md',
    /at most every (\w+) seconds/,
    constant('src/auth/issuer.ts', 'COOLDOWN_MS'),
    1_000,
  ],
  ['docs/authentication.md', /stay valid for (a day)/, constant('src/auth/issuer.ts', 'KEEP_MS'), 86_400_000],
  [
    'docs/authentication.md',
    /works for another (day)/,
    constant('src/devices', 'DEFAULT_GRACE_SECONDS'),
    86_400,
  ],
  ['docs/authentication.md', /and for (\w+) minutes\. It needs/, constant('src/auth', 'VALID_SECONDS'), 60],
  ['SECURITY.md', /signed link (\d+) minutes/, constant('src/auth', 'VALID_SECONDS'), 60],
  ['SECURITY.md', /(\d+) seconds of skew/, constant('src/auth', 'CLOCK_SKEW_SECONDS')],
  ['SECURITY.md', /at most once in (\w+) seconds/, constant('src/auth/issuer.ts', 'COOLDOWN_MS'), 1_000],
  ['SECURITY.md', /forgotten after (\w+) minutes/, constant('src/auth/issuer.ts', 'REFRESH_MS'), 60_000],
  [
    'docs/configuration.md',
    /waits (\d+) s for locks/,
    constant('src/platform/database', 'LOCK_WAIT_MS'),
    1_000,
  ],
  [
    'docs/configuration.md',
    /`PARSE_TIMEOUT_MS` plus (\d+) s/,
    constant('src/compose', 'LEASE_MARGIN_MS'),
    1_000,
  ],
  ['docs/configuration.md', /upload waits (\w+) seconds/, constant('src/http', 'DATABASE_WAIT_MS'), 1_000],
  [
    'docs/configuration.md',
    /takes less than (\d+) KiB of it|less than (\d+) KiB in this time/,
    constant('src/http', 'PIECE_BYTES'),
    1_024,
  ],
  ['docs/configuration.md', /Every (\w+) seconds it sends/, constant('src/platform', 'HEARTBEAT_MS'), 1_000],
  [
    'docs/configuration.md',
    /within some\s+seconds \((\d+) s, and/,
    constant('src/platform/blobs/s3', 'CALL_LIMIT_MS'),
    1_000,
  ],
  [
    'docs/configuration.md',
    /1 s more for each (\d+) KiB/,
    constant('src/platform/blobs/s3', 'SLOWEST_BYTES_PER_SECOND'),
    1_024,
  ],
  [
    'docs/configuration.md',
    /waits at most (\w+) seconds for a connection/,
    constant('src/platform/database', 'CONNECTION_TIMEOUT_MS'),
    1_000,
  ],
  [
    'docs/configuration.md',
    /the ELF inside may have (\w+) times/,
    constant('src/firmware', 'INFLATED_TIMES'),
  ],
  [
    'docs/operations.md',
    /up to (a) megabyte waits/,
    constant('src/platform', 'MAX_WAITING_CHARACTERS'),
    1_048_576,
  ],
  ['docs/alerts.md', /at most (\w+) attempts/, constant('src/alerts', 'MAX_ATTEMPTS')],
  ['docs/alerts.md', /is the log, for (\d+) days/, constant('src/alerts', 'LOG_RETENTION_MS'), 86_400_000],
  [
    'docs/limits.md',
    /waits for the database (\d+) s in all/,
    constant('src/http', 'DATABASE_WAIT_MS'),
    1_000,
  ],
  ['docs/limits.md', /arrive within (\d+) s/, () => HTTP_OPTIONS.headersTimeout ?? 0, 1_000],
  ['docs/limits.md', /be at most (\d+) KiB\. A body/, () => HTTP_OPTIONS.maxHeaderSize ?? 0, 1_024],
  ['docs/limits.md', /must bring (\d+) KiB in each \d+ s/, constant('src/http', 'SLOW_BODY_BYTES'), 1_024],
  [
    'docs/limits.md',
    /must bring \d+ KiB in each (\d+) s/,
    constant('src/http', 'SLOW_BODY_PERIOD_MS'),
    1_000,
  ],
  ['docs/limits.md', /nothing moves for (\w+) minutes/, constant('src/http', 'IDLE_TIMEOUT_MS'), 60_000],
  ['docs/limits.md', /pings\s+\(every (\d+) s\)/, constant('src/graphql/server', 'PING_MS'), 1_000],
  ['docs/limits.md', /at most (\d+) operations/, constant('src/graphql/server', 'MAX_OPERATIONS')],
  ['docs/limits.md', /at most (\d+) messages/, constant('src/graphql/server', 'MAX_MESSAGES')],
  ['docs/limits.md', /messages in (\d+) s/, constant('src/graphql/server', 'WINDOW_MS'), 1_000],
  ['docs/limits.md', /two fields of (\d+) KiB/, constant('src/graphql/server', 'MAX_FIELD_BYTES'), 1_024],
  ['docs/limits.md', /a cost of ([\d,]+), or/, constant('src/graphql/server', 'LONG_QUERY_COST')],
  [
    'docs/limits.md',
    /or (\d+) KiB of\s+texts/,
    constant('src/graphql/limits/answer-budget.ts', 'LONG_ANSWER_BYTES'),
    1_024,
  ],
  [
    'docs/limits.md',
    /Other lists count (\d+) bytes a field/,
    constant('src/graphql/limits', 'BYTES_PER_FIELD'),
  ],
  ['docs/limits.md', /\((\d+) more of `nice`\)/, constant('src/graphql/server', 'NICE')],
  [
    'docs/limits.md',
    /none has come for (\w+) minutes/,
    constant('src/graphql/server/query-thread.ts', 'IDLE_MS'),
    60_000,
  ],
  [
    'docs/limits.md',
    /not taken an answer after (\d+) s/,
    constant('src/graphql/limits', 'READER_TIMEOUT_MS'),
    1_000,
  ],
  [
    'docs/operations.md',
    /`\.orphans\/` for (\w+) days/,
    constant('src/platform/blobs', 'KEEP_ORPHANS_MS'),
    86_400_000,
  ],
  ['docs/operations.md', /notes every (\w+) minutes/, every('progress note'), 60_000],
  [
    'docs/operations.md',
    /(\d+) MiB at most/,
    constant('src/platform/database/sqlite', 'RESERVE_BYTES'),
    1_048_576,
  ],
  ['docs/sidecar-protocol.md', /There are (\w+) attempts/, constant('src/coredumps', 'MAX_ATTEMPTS')],
  [
    'docs/sidecar-protocol.md',
    /may have (\d+) MiB/,
    constant('src/coredumps', 'MAX_ANSWER_BYTES'),
    1_048_576,
  ],
  ['README.md', /device crashes every (\d+) seconds/, constant('src/demo', 'NEXT_CRASH_MS'), 1_000],
  ['README.md', /(\w+) weeks of crashes/, constant('src/demo', 'HISTORY_DAYS'), 7],
];

const WORDS = new Map(
  Object.entries({
    a: 1,
    day: 1,
    'a day': 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    seven: 7,
    ten: 10,
    twelve: 12,
  }),
);

describe('a number', () => {
  it.each(NUMBERS)('in %s is what the program has: %s', (path, says, is, unit = 1) => {
    const [, ...groups] = says.exec(documentAt(path)) ?? [];
    const text = groups.find((group) => group !== undefined);
    if (text === undefined) throw new Error(`${path} does not have ${says}`);

    expect(WORDS.get(text) ?? Number(text.replaceAll(',', ''))).toBe(is() / unit);
  });
});

describe('a measured number', () => {
  const ofTime =
    /\d[\d.,]* ?(?:MB\/s|MiB\/s|µs)(?!\w)|\b\d[\d.,]* ?ms\b|\b\d[\d.,]*(?:x| times) (?:faster|slower|as (?:fast|long|much))/g;
  /** Documents say sizes by the program's own numbers (KiB, MiB). */
  const ofSize = /\d[\d.,]* ?(?:MB|GB|kB|%)(?!\w)/g;

  it.each(DOCUMENTS.filter(({ path }) => path !== 'test/bench/README.md'))(
    'stands in test/bench/README.md alone, not in $path',
    ({ text }) => {
      expect([...(text.match(ofTime) ?? []), ...(text.match(ofSize) ?? [])]).toEqual([]);
    },
  );

  it('stands in no comment of the sources', () => {
    const found = sourcesBelow('src').flatMap((path) =>
      (commentsOf(readText(path)).match(ofTime) ?? []).map((number) => `${path}: ${number}`),
    );

    expect(found).toEqual([]);
  });
});

function every(work: ScheduledName): () => number {
  return () => SCHEDULED_WORK.find(({ name }) => name === work)?.everyMs ?? Number.NaN;
}

/** The value of `const NAME = …;` in a source below the folder, or in the file: numbers, products, other constants. */
function constant(place: string, name: string): () => number {
  return () => {
    const files = place.endsWith('.ts') ? [place] : sourcesBelow(place);
    const values = files
      .map((path) => new RegExp(`^(?:export )?const ${name} = ([^;]+);`, 'm').exec(readText(path))?.[1])
      .filter((text) => text !== undefined);
    const [value] = new Set(values.map(evaluate));
    if (value === undefined) throw new Error(`no source below ${place} has a constant ${name}`);
    return value;
  };
}

function evaluate(expression: string): number {
  const product = expression
    .split('*')
    .map((factor) => factor.trim())
    .map((factor) =>
      /^[A-Z_]+$/.test(factor) ? constant('src', factor)() : Number(factor.replaceAll('_', '')),
    );
  return product.reduce((all, factor) => all * factor, 1);
}
