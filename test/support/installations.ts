import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { copySqlite } from '../../src/platform/database/sqlite/copy.js';
import { dropDatabase } from '../../src/tools/postgresql-cluster.js';
import { aDevice, aServer, stored, type TestApp } from './app.js';
import { uploadFirmware } from './firmware.js';
import type { S3Environment, S3Server } from './s3-server.js';
import { aFolder } from './stores.js';

/** Where dumps and builds are kept, as the settings name it, with what a stranger may look at. */
export interface TestStorage {
  environment: Record<string, string>;
  /** Every file or object of a dump or build, the ones set aside as `.orphans/…`. */
  contents(): Promise<string[]>;
}

export async function folders(): Promise<TestStorage> {
  const dir = await aFolder();
  const [COREDUMPS_DIR, ASSETS_DIR] = [join(dir, 'coredumps'), join(dir, 'firmware')];
  return {
    environment: { COREDUMPS_DIR, ASSETS_DIR },
    async contents() {
      const names = await readdir(dir, { recursive: true }).catch(() => []);
      return names.filter(isBlob).sort();
    },
  };
}

export async function aBucket(server: S3Server): Promise<TestStorage & { environment: S3Environment }> {
  const environment = await server.newBucket();
  return {
    environment,
    contents: async () => (await server.objects(environment)).filter(isBlob),
  };
}

function isBlob(name: string): boolean {
  return /\.(dmp|elf)$/.test(name);
}

/** A server with a device, a build and three dumps, stopped. */
export async function anInstallation(
  { environment }: Pick<TestStorage, 'environment'>,
  changes: Record<string, string> = {},
): Promise<{ app: TestApp; settings: Record<string, string> }> {
  const app = await aServer({ ...environment, ...changes });
  await aDevice(app);
  await uploadFirmware(app, {});
  for (const body of ['one', 'two', 'three']) await stored(app, `${body} of ${app.dir}`);
  await app.close();
  return { app, settings: { ...environment, DATABASE_URL: app.config.databaseUrl } };
}

/** A copy of a database that nobody uses: what a restored backup is. */
export async function aCopyOf(url: string): Promise<string> {
  if (url.startsWith('file:')) {
    const copy = join(await aFolder(), 'copy.db');
    await copySqlite(url.slice('file:'.length), copy);
    return `file:${copy}`;
  }
  const name = `coredock_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client(Object.assign(new URL(url), { pathname: '/postgres' }).href);
  await client.connect();
  await client.query(`CREATE DATABASE ${name} TEMPLATE "${new URL(url).pathname.slice(1)}"`);
  await client.end();
  const copy = Object.assign(new URL(url), { pathname: `/${name}` }).href;
  onTestFinished(() => dropDatabase(copy));
  return copy;
}

/** As a version of Coredock that knew no identities has left it. */
export async function forgetIdentity(url: string): Promise<void> {
  const { db, close } = await openDatabase(url);
  try {
    await db.$executeRaw`DELETE FROM "Installation"`;
  } finally {
    await close();
  }
}

export function daysLater(days: number): Clock {
  const ahead = days * 24 * 60 * 60 * 1000;
  let last = 0n;
  return {
    now: () => new Date(Date.now() + ahead),
    uniqueMicros: () => {
      const micros = BigInt(Date.now() + ahead) * 1000n;
      last = micros > last ? micros : last + 1n;
      return last;
    },
  };
}
