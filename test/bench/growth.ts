import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { ask } from './ask.js';
import { withFolder } from './folder.js';
import { quantile, upload } from './load.js';
import { adoptSeeded, coredockServer, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';
import { type Fleet, seed } from './seed.js';

const SMALL: Fleet = { devices: 200, spareDevices: 500, dumps: 4_000 };
const LARGE: Fleet = { devices: 50_000, spareDevices: 500, dumps: 1_000_000 };
const ROUNDS = 15;
const UPLOADS = 160;

/** What the same work costs with 1,000,000 dumps against 4,000: 20 dumps a device in both, as retention leaves them. */
export async function growth(): Promise<Result[]> {
  return withFolder(async (dir) => {
    const results = await compare('SQLite', dir, async (name) => `file:${join(dir, `${name}.db`)}`);
    const cluster = await startPostgresql();
    if (cluster === null) return [...results, skipped('growth on PostgreSQL', NO_POSTGRESQL)];
    try {
      return [...results, ...(await compare('PostgreSQL', dir, () => createDatabase(cluster.url)))];
    } finally {
      await cluster.close();
    }
  });
}

async function compare(
  database: string,
  dir: string,
  newDatabase: (name: string) => Promise<string>,
): Promise<Result[]> {
  const servers: Peer[] = [];
  try {
    const [small, large] = [
      await seededServer(`${database} small`, SMALL),
      await seededServer(`${database} large`, LARGE),
    ];
    const results: Result[] = [];
    for (const { name, work, note } of OPERATIONS) {
      process.stderr.write(`  ${database}: ${name} … `);
      const what = `${name}, ${database}: 1,000,000 rows / 4,000`;
      const result = await compareOne(what, work, note, small, large);
      process.stderr.write(`${result.value?.toFixed(2)} × (${result.detail})\n`);
      results.push(result);
    }
    return results;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }

  async function seededServer(name: string, fleet: Fleet): Promise<Sized> {
    process.stderr.write(`  seeding ${name}: ${fleet.dumps} dumps …\n`);
    const url = await newDatabase(name);
    await seed(url, fleet);
    const folder = join(dir, name);
    await mkdir(folder);
    await adoptSeeded(folder, { DATABASE_URL: url });
    const server = await coredockServer(folder, { DATABASE_URL: url });
    servers.push(server);
    return { server, fleet, uploads: 0 };
  }
}

interface Sized {
  server: Peer;
  fleet: Fleet;
  /** So far, so that they go around the devices. */
  uploads: number;
}

interface Operation {
  name: string;
  work: (sized: Sized) => Promise<unknown>;
  /** Why it grows, where it is known to. */
  note?: string;
}

const page = (filter: string) => (sized: Sized) =>
  ask(
    sized.server.url,
    `{ coredumps(first: 20${filter === '' ? '' : `, filter: { ${filter} }`}) { nodes { filename chip firmwareVersion size parseStatus uploadedAt } } }`,
  );

const OPERATIONS: Operation[] = [
  { name: `upload (${UPLOADS}, 32 in flight)`, work: (sized) => uploadTo(sized, 'spare') },
  { name: 'upload that retires an old dump', work: (sized) => uploadTo(sized, 'bench') },
  { name: 'first page of coredumps', work: page('') },
  { name: 'page by chip and status', work: page('chip: ["esp32c3"], parseStatus: [PARSED]') },
  { name: 'page by device', work: page('deviceKey: ["bench77"]') },
  { name: 'page by version', work: page('firmwareVersion: ["1.3.0"]') },
  { name: 'search, a word of most dumps', work: page('search: "abort"') },
  {
    name: 'search, a word of no dump',
    work: page('search: "nowhere"'),
    note: 'linear: every text is read',
  },
  {
    name: 'totalCount',
    work: ({ server }) => ask(server.url, '{ coredumps(first: 1) { totalCount } }'),
    note: 'linear: the database counts an index; a statement of its own, only when asked for',
  },
];

async function uploadTo(sized: Sized, prefix: 'bench' | 'spare'): Promise<void> {
  const devices = prefix === 'spare' ? (sized.fleet.spareDevices ?? 0) : sized.fleet.devices;
  // Far apart, as devices that crash are, so that what the last upload touched does not help the next.
  const step = 7_919;
  const path = (index: number) =>
    `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=${prefix}${((sized.uploads + index) * step) % devices}`;
  await upload(sized.server.url, { count: UPLOADS, bytes: 65_536, inFlight: 32, path });
  sized.uploads += UPLOADS;
}

async function compareOne(
  what: string,
  work: Operation['work'],
  note: string | undefined,
  small: Sized,
  large: Sized,
): Promise<Result> {
  const times: Array<{ small: number; large: number }> = [];
  // What takes seconds need not be done often to be known.
  const enough = performance.now() + 20_000;
  for (let round = 0; round <= ROUNDS && (performance.now() < enough || round < 4); round++) {
    const time = { small: await timed(work, small), large: await timed(work, large) };
    if (round > 0) times.push(time);
  }
  const median = (of: (time: (typeof times)[number]) => number) => quantile(times.map(of), 0.5);
  const [smallMs, largeMs] = [median((time) => time.small), median((time) => time.large)];
  return {
    what,
    value: median((time) => time.large / time.small),
    unit: '×',
    hold: '≤ 1.2',
    holds: (ratio) => ratio <= 1.2,
    detail: `${smallMs.toFixed(1)} against ${largeMs.toFixed(1)} ms${note === undefined ? '' : `; ${note}`}`,
  };
}

async function timed(work: Operation['work'], sized: Sized): Promise<number> {
  const begun = performance.now();
  await work(sized);
  return performance.now() - begun;
}
