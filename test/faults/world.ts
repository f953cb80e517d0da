import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDatabase, type PostgresqlCluster } from '../../src/tools/postgresql-cluster.js';
import { aDevice } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { aProgram, type Program } from '../support/program.js';
import { keepDeleted } from '../support/recount-sql.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import type { MortalS3Server } from '../support/s3-server.js';
import { mountTinyDisk } from '../support/tiny-disk.js';
import { fakedTime } from './faked-time.js';

export const DEVICES = ['dev1', 'dev2', 'dev3'];
export const MAX_COREDUMPS = 15;
/** Short, so that a PostgreSQL that stands still is given up within a round. */
export const STATEMENT_TIMEOUT_MS = 3_000;
const DISK_MEGABYTES = 128;
/** Where the objects of dumps are in a bucket. */
const DUMPS = 'coredumps/';

export type World = Awaited<ReturnType<typeof aWorld>>;

/**
 * What faults happen to: the built program on files of its own (one server with SQLite, two with a cluster of PostgreSQL), with a
 * model, devices and the firmware that their dumps ran. Where it may be mounted, its files are on a small disk, its log too. With
 * an S3 server dumps and firmware are in a bucket of it, behind an endpoint.
 */
export async function aWorld(cluster: PostgresqlCluster | null, s3Server: MortalS3Server | null = null) {
  const disk = mountTinyDisk(DISK_MEGABYTES);
  const dir = disk?.path ?? (await mkdtemp(join(tmpdir(), 'coredock-faults-')));
  onTestFinished(async () => {
    if (disk === null) await rm(dir, { recursive: true, force: true });
    else disk.remove();
  });
  const time = await fakedTime(join(dir, 'time'));
  const s3 = s3Server === null ? null : await aBucket(s3Server);
  const databaseUrl =
    cluster === null ? `file:${join(dir, 'data/coredock.db')}` : await createDatabase(cluster.url);
  const environment: Record<string, string> = {
    DATABASE_URL: databaseUrl,
    MAX_COREDUMPS: String(MAX_COREDUMPS),
    DEVICE_UPLOADS_PER_MINUTE: '1000000',
    LOG_LEVEL: 'info',
    PARSE_CONCURRENCY: '2',
    // Short, so that what a dead server had in hand is taken up within a round: the lease is 30 s longer.
    PARSE_TIMEOUT_MS: '5000',
    SHUTDOWN_GRACE_MS: '5000',
    ...(cluster === null ? {} : { DATABASE_STATEMENT_TIMEOUT_MS: String(STATEMENT_TIMEOUT_MS) }),
    ...time?.environment,
    ...s3?.environment,
  };
  const servers: Array<Program | null> = [];

  const world = {
    dir,
    disk,
    cluster,
    time,
    s3,
    servers,
    databaseUrl,
    /** The settings of each server. */
    environment,
    /** Of the servers that are up. */
    urls: () => servers.flatMap((server) => server?.url ?? []),
    async start(index: number) {
      // On the disk with everything else: when that is full there is no room for the log either.
      servers[index] = await aProgram('start', {
        dir,
        environment,
        logFile: join(dir, `server-${index}.log`),
      });
    },
    async stop(index: number, signal: 'SIGKILL' | 'SIGTERM') {
      const server = servers[index];
      servers[index] = null;
      return server?.stop(signal);
    },
    /** Servers that nobody stopped, and which are gone all the same. */
    fallen(): number[] {
      return [...servers.entries()].flatMap(([index, server]) =>
        server != null && (server.process.exitCode ?? server.process.signalCode) !== null ? [index] : [],
      );
    },
    /** Starts what is not up: after a fault, or in the first round. */
    async mend() {
      for (let index = 0; index < (cluster === null ? 1 : 2); index++) {
        if (servers[index] == null || world.fallen().includes(index)) await world.start(index);
      }
    },
    /** An empty database of the same kind. */
    anotherDatabase: async () =>
      cluster === null ? `file:${join(dir, 'another.db')}` : createDatabase(cluster.url),
    /** A place of the same kind with nothing in it: its folder and settings. */
    async elsewhere() {
      const folder = await mkdtemp(join(dir, 'elsewhere-'));
      return {
        folder,
        environment: {
          ...environment,
          DATABASE_URL:
            cluster === null ? `file:${join(folder, 'coredock.db')}` : await createDatabase(cluster.url),
          COREDUMPS_DIR: join(folder, 'coredumps'),
          ASSETS_DIR: join(folder, 'firmware'),
          ...(s3 === null ? {} : { ...(await s3.server.newBucket()), S3_ENDPOINT: s3.endpoint.url }),
        },
      };
    },
    /** Removes the ELF of every build, as a backup that was restored in part does. */
    async loseFirmware(): Promise<void> {
      if (s3 !== null) return s3.server.remove(s3.environment, '.elf');
      const root = join(dir, 'data/firmware');
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const elfs = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.elf'));
      await Promise.all(elfs.map(({ parentPath, name }) => rm(join(parentPath, name))));
    },
    /** Every dump's file, `{device_key}/{filename}`. */
    async files(): Promise<string[]> {
      if (s3 !== null) {
        const objects = await s3.server.objects(s3.environment);
        return objects.flatMap((key) =>
          key.startsWith(DUMPS) && key.endsWith('.dmp') ? [key.slice(DUMPS.length)] : [],
        );
      }
      const root = join(dir, 'data/coredumps');
      const files = await Promise.all(
        DEVICES.map(async (device) =>
          (await readdir(join(root, device)).catch(() => [])).map((name) => `${device}/${name}`),
        ),
      );
      return files.flat().sort();
    },
    /** As if all of it had been written before what may be on its way. */
    async age() {
      const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
      if (s3 !== null) return s3.server.age(s3.environment, twoDaysAgo);
      for (const file of await world.files())
        await utimes(join(dir, 'data/coredumps', file), twoDaysAgo, twoDaysAgo);
    },
  };
  await world.mend();
  const [first] = servers;
  if (first == null) throw new Error('the first server has started');
  await keepDeleted(databaseUrl);
  for (const key of DEVICES) await aDevice(first, { key });
  await uploadBuild(first);
  return world;
}

/** The firmware that all dumps of the campaign ran. */
export async function uploadBuild(server: Program): Promise<void> {
  const build = fixture('thermostat-1.0.0');
  await uploadFirmware(server, { elf: await readFile(build.elfPath), version: build.version });
}

async function aBucket(server: MortalS3Server) {
  const endpoint = await anS3Proxy(server.url());
  const environment = { ...(await server.newBucket()), S3_ENDPOINT: endpoint.url };
  return { server, endpoint, environment };
}

/** Fills a disk to its last byte. @returns makes room again */
export async function fill(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'ballast');
  await writeFile(path, Buffer.alloc(DISK_MEGABYTES * 1024 * 1024)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error;
  });
  return () => rm(path, { force: true });
}
