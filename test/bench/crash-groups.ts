import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { ask } from './ask.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { adoptSeeded, coredockServer, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';
import { seedCrashes } from './seed-crashes.js';

const [FEW, MANY] = [10_000, 1_000_000];
const [WARM_UP, ROUNDS] = [5, 40];
/** For each question and both databases together. */
const ENOUGH_MS = 20_000;
const GROUP = 'id title count deviceCount lastSeenAt firmwareVersions crashes(unit: DAY) { count }';

interface Question {
  what: string;
  query: string;
  /** Why it grows, where it is known to. */
  note?: string;
}

const QUESTIONS: Question[] = [
  ...['COUNT', 'DEVICE_COUNT', 'LAST_SEEN_AT', 'VELOCITY'].map((field) => ({
    what: `group list with charts by ${field}`,
    query: `{ crashGroups(first: 20, orderBy: { field: ${field} }, filter: { state: [OPEN] }) { nodes { ${GROUP} } } }`,
    note: 'counters of a group: some 30 days and 12 variants against 5 and 5',
  })),
  { what: 'fleet by day, 30 days', query: '{ crashes(unit: DAY) { start count } }' },
  {
    what: 'a model by hour, 7 days',
    query: '{ crashes(unit: HOUR, from: "WEEK_AGO", filter: { modelCode: ["m1"] }) { start count } }',
  },
  { what: 'search, a rare word', query: searched('rare4711'), note: 'a step more until all was looked at' },
  { what: 'search, a function', query: searched('function_77') },
  { what: 'search, a word of all dumps', query: searched('abort') },
  {
    what: 'crash-free devices of all versions',
    query:
      '{ deviceModels { nodes { firmwares { nodes { version crashCount crashedDeviceCount crashFreeDeviceCount } } } } }',
  },
  {
    what: 'the dumps of 20 groups',
    query:
      '{ crashGroups(first: 20) { nodes { coredumps(first: 5) { nodes { id filename uploadedAt } } } } }',
  },
  {
    what: 'how many dumps 20 groups have',
    query: '{ crashGroups(first: 20) { nodes { keptCount } } }',
    note: 'linear in the dumps of the groups, 500 each against 5: counted in an index, only when asked for',
  },
  {
    what: 'missing builds',
    query: '{ missingFirmwares { firmwareVersion coredumpCount deviceCount } }',
    note: 'linear in the dumps that wait, one of 1,000 here; no other dump is read',
  },
];

function searched(word: string): string {
  return `{ search(query: "${word}") { coredumps(first: 10) { nodes { coredump { id } snippet { text isMatch } } } } }`;
}

/** Lists, charts and search over 1,000,000 dumps against 10,000, both in 2,000 groups, by turns on one PostgreSQL. */
export async function crashGroups(): Promise<Result[]> {
  const cluster = await startPostgresql();
  if (cluster === null) return [skipped('crashGroups, PostgreSQL', NO_POSTGRESQL)];
  try {
    return await withFolder(async (dir) => {
      const servers: Peer[] = [];
      try {
        for (const dumps of [FEW, MANY]) {
          const url = await createDatabase(cluster.url);
          process.stderr.write(`  seeding ${dumps} dumps …\n`);
          await seedCrashes(url, dumps);
          const folder = join(dir, String(dumps));
          await mkdir(folder);
          await adoptSeeded(folder, { DATABASE_URL: url });
          servers.push(await coredockServer(folder, { DATABASE_URL: url }));
        }
        const [few, many] = servers;
        if (few === undefined || many === undefined) throw new Error('a server is missing');
        const results: Result[] = [];
        for (const question of QUESTIONS) {
          process.stderr.write(`  ${question.what} … `);
          const result = await compare(question, few, many);
          process.stderr.write(`${result.value?.toFixed(2)} × (${result.detail})\n`);
          results.push(result);
        }
        return results;
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
      }
    });
  } finally {
    await cluster.close();
  }
}

/** By turns, so that what else the machine does hits both alike. */
async function compare({ what, query, note }: Question, few: Peer, many: Peer): Promise<Result> {
  const asked = query.replace('WEEK_AGO', new Date(Date.now() - 7 * 86_400_000).toISOString());
  const times: Array<{ few: number; many: number }> = [];
  const enough = performance.now() + ENOUGH_MS;
  // What takes seconds need not be done often to be known.
  for (let round = -WARM_UP; round < ROUNDS && (performance.now() < enough || times.length < 3); round++) {
    const time = { few: await timed(few, asked), many: await timed(many, asked) };
    if (round >= 0 || performance.now() > enough) times.push(time);
  }
  const median = (of: (time: (typeof times)[number]) => number) => quantile(times.map(of), 0.5);
  const [fewMs, manyMs] = [median((time) => time.few), median((time) => time.many)];
  return {
    what: `${what}: 1,000,000 dumps / 10,000`,
    value: manyMs / fewMs,
    unit: '×',
    hold: '≤ 1.2',
    holds: (ratio) => ratio <= 1.2,
    detail: `median of ${times.length}: ${fewMs.toFixed(1)} against ${manyMs.toFixed(1)} ms${note === undefined ? '' : `; ${note}`}`,
  };
}

async function timed(peer: Peer, query: string): Promise<number> {
  const begun = performance.now();
  await ask(peer.url, query);
  return performance.now() - begun;
}
