import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../support/app.js';
import type { Fault as S3Fault } from '../support/s3-proxy.js';
import { NO_FAKED_TIME } from './faked-time.js';
import { PEOPLE_FAULTS } from './people-faults.js';
import { STORAGE_FAULTS } from './storage-faults.js';
import { fill, STATEMENT_TIMEOUT_MS, type World } from './world.js';

export interface Fault {
  name: string;
  /** @returns why it cannot be had here; null when it can */
  missing(world: World): string | null;
  /** Happens while uploads and parses are on their way, and may leave servers down: they are started again. */
  strike(world: World): Promise<void>;
}

const always = () => null;
const withPostgresql = ({ cluster }: World) => (cluster === null ? 'is about PostgreSQL' : null);

const withS3 = ({ s3 }: World) => (s3 === null ? 'is about S3' : null);

/** A moment that nobody chose. */
const aMoment = (limitMs = 1_500) => pause(Math.random() * limitMs);

export const FAULTS: readonly Fault[] = [
  ...STORAGE_FAULTS,
  ...PEOPLE_FAULTS,
  {
    name: 'kill -9 of a server',
    missing: always,
    async strike(world) {
      await aMoment();
      await world.stop(0, 'SIGKILL');
    },
  },
  {
    name: 'kill -9 of the sidecar, which has the parse workers in it, three times',
    missing: always,
    async strike(world) {
      for (let time = 0; time < 3; time++) {
        await aMoment();
        killSidecar(world);
      }
    },
  },
  {
    name: 'SIGTERM of a server',
    missing: always,
    async strike(world) {
      await aMoment();
      const code = await world.stop(0, 'SIGTERM');
      if (code !== 0) throw new Error(`a server that was to stop ended with ${code}`);
    },
  },
  {
    name: 'disk full, with the log on it',
    missing: ({ disk }) => (disk === null ? 'this user may not mount a disk' : null),
    async strike({ dir }) {
      const makeRoom = await fill(dir);
      await aMoment(3_000);
      await makeRoom();
    },
  },
  {
    name: 'firmware that cannot be read',
    missing: ({ s3 }) => (s3 === null ? null : 'is about files'),
    async strike({ dir }) {
      // A folder in its place: root reads every file, whatever its mode.
      const folder = join(dir, 'data/firmware/thermostat');
      const [name = ''] = await readdir(folder);
      const restore = await makeUnreadable(join(folder, name));
      await aMoment();
      await restore();
    },
  },
  {
    name: 'dumps that cannot be read',
    missing: ({ s3 }) => (s3 === null ? null : 'is about files'),
    async strike({ dir, files }) {
      const root = join(dir, 'data/coredumps');
      await aMoment();
      const restore = await Promise.all((await files()).map((file) => makeUnreadable(join(root, file))));
      await aMoment();
      await Promise.all(restore.map((again) => again()));
    },
  },
  {
    name: 'clock that jumps a day ahead, two back, and home',
    missing: ({ time }) => (time === null ? NO_FAKED_TIME : null),
    async strike({ time }) {
      for (const seconds of [86_400, -86_400, 0]) {
        await time?.jump(seconds);
        await aMoment();
      }
    },
  },
  {
    name: 'connections of PostgreSQL cut, over and over',
    missing: withPostgresql,
    async strike({ cluster }) {
      if (cluster === null) return;
      for (let time = 0; time < 5; time++) {
        await aMoment(500);
        await cutConnections(cluster.url);
      }
    },
  },
  {
    name: 'PostgreSQL stands still, with its connections open, and goes on later',
    missing: withPostgresql,
    async strike({ cluster }) {
      if (cluster === null) return;
      await aMoment();
      const goOn = await stopBackends(cluster.url);
      await aMoment(2 * STATEMENT_TIMEOUT_MS);
      goOn();
    },
  },
  {
    name: 'PostgreSQL restarted',
    missing: withPostgresql,
    async strike({ cluster }) {
      await aMoment();
      await cluster?.restart('SIGINT');
    },
  },
  {
    name: 'PostgreSQL crashed and started again',
    missing: withPostgresql,
    async strike({ cluster }) {
      await aMoment();
      await cluster?.restart('SIGQUIT');
    },
  },
  {
    name: 'kill -9 of one of two servers, while the other goes on',
    missing: withPostgresql,
    async strike(world) {
      await aMoment();
      await world.stop(1, 'SIGKILL');
      await aMoment(3_000);
    },
  },
  {
    name: 'S3 answers every call with 500, then every other one',
    missing: withS3,
    async strike({ s3 }) {
      const failing = { answer: 500, code: 'InternalError' };
      await aMoment();
      s3?.endpoint.happens(() => failing);
      await aMoment(3_000);
      s3?.endpoint.happens(() => oneOf([failing, null]));
      await aMoment(3_000);
      s3?.endpoint.happens(() => null);
    },
  },
  {
    name: 'S3 is slow',
    missing: withS3,
    async strike({ s3 }) {
      await aMoment();
      s3?.endpoint.happens(() => ({ delayMs: Math.random() * 3_000 }));
      await aMoment(6_000);
      s3?.endpoint.happens(() => null);
    },
  },
  {
    name: 'S3 is gone: connections refused, its process killed and started again',
    missing: withS3,
    async strike({ s3 }) {
      await aMoment();
      await s3?.endpoint.goAway();
      // s3rver acknowledges what its files do not have yet, which nothing that calls itself S3 may.
      await pause(1_000);
      await s3?.server.kill();
      await aMoment(2_000);
      await s3?.server.startAgain();
      await s3?.endpoint.comeBack();
    },
  },
  {
    name: 'S3 gives half an answer, or none to what it has done',
    missing: withS3,
    async strike({ s3 }) {
      const fates: Array<S3Fault | null> = ['cut', 'answer lost', 'broken', 'damaged', 'damaged on the way'];
      await aMoment();
      s3?.endpoint.happens(() => oneOf([...fates, null, null, null]));
      await aMoment(5_000);
      s3?.endpoint.happens(() => null);
    },
  },
];

function oneOf<Item>(items: readonly Item[]): Item | null {
  return items[Math.floor(Math.random() * items.length)] ?? null;
}

/** A folder in the place of a file. @returns puts it back */
async function makeUnreadable(path: string): Promise<() => Promise<void>> {
  const aside = `${path}.aside`;
  try {
    await rename(path, aside);
  } catch {
    // It had to go for a newer one just now.
    return async () => {};
  }
  await mkdir(path, { recursive: true });
  return async () => {
    await rm(path, { recursive: true, force: true });
    await rename(aside, path);
  };
}

/** The supervisor says in its log which process it runs now. */
function killSidecar({ servers }: World): void {
  const pids = [...(servers[0]?.log() ?? '').matchAll(/"pid":(\d+),"msg":"parse sidecar is up"/g)];
  const pid = pids.at(-1)?.[1];
  if (pid === undefined) throw new Error('a server has told no process of its sidecar');
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It was killed before, and the next one is not up yet.
  }
}

/** @returns lets them go on */
async function stopBackends(url: string): Promise<() => void> {
  const client = await connected(url);
  const { rows } = await client.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
  );
  await client.end();
  const signalAll = (signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const { pid } of rows) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended by itself.
      }
    }
  };
  signalAll('SIGSTOP');
  return () => signalAll('SIGCONT');
}

async function connected(url: string): Promise<pg.Client> {
  return eventually(async () => {
    const connecting = new pg.Client(url);
    return connecting.connect().then(
      () => connecting,
      () => null,
    );
  }, 'PostgreSQL answers');
}

async function cutConnections(url: string): Promise<void> {
  const client = await connected(url);
  await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
  );
  await client.end();
}
