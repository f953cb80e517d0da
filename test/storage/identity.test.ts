import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { aDevice, aServer, stored } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import {
  aBucket,
  aCopyOf,
  anInstallation,
  daysLater,
  folders,
  forgetIdentity,
  type TestStorage,
} from '../support/installations.js';
import { useS3Server } from '../support/s3-server.js';
import { aFolder, everythingOf, moving } from '../support/stores.js';

const server = useS3Server();
const isPostgresql = inject('postgresql') !== undefined;
const ONE_LINE = /^[^\n]+$/;

const STORAGES: Array<[name: string, make: () => Promise<TestStorage>, setting: string]> = [
  ['folders', folders, 'COREDUMPS_DIR'],
  ['a bucket', () => aBucket(server), 'S3_BUCKET'],
];

/** What a start that must not succeed says. */
async function refusal(environment: Record<string, string>): Promise<string> {
  const error: unknown = await aServer(environment).then(
    () => new Error('it has started'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw error;
  expect(error.message).toMatch(ONE_LINE);
  return error.message;
}

describe.each(STORAGES)('%s and a database', (_, makeStorage, setting) => {
  it('that are both new belong together from then on', async () => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const again = await app.restart();
    const before = await everythingOf(again);
    await again.close();

    expect(await everythingOf(await aServer(settings))).toEqual(before);
    expect(before.coredumps.totalCount).toBe(3);
  });

  it.each([
    ['a new one', async () => aDatabaseUrl(await aFolder())],
    [
      'that of another installation',
      async () => (await anInstallation(await folders())).app.config.databaseUrl,
    ],
  ])('stop the start when the database is %s, and nothing is moved', async (_, another) => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const before = await storage.contents();
    const DATABASE_URL = await another();

    const message = await refusal({ ...settings, DATABASE_URL });

    for (const part of ['DATABASE_URL', setting, 'coredock adopt']) expect(message).toContain(part);
    expect(message).toContain(
      DATABASE_URL.startsWith('file:') ? DATABASE_URL : new URL(DATABASE_URL).pathname,
    );
    expect(message).not.toContain(new URL(DATABASE_URL).password || 'no password');
    expect(await storage.contents()).toEqual(before);
    expect((await everythingOf(await app.restart())).coredumps.totalCount).toBe(3);
  });

  it('stop the start when the storage is new and the database has dumps: a disk that is not mounted', async () => {
    const { settings } = await anInstallation(await makeStorage());
    const empty = await makeStorage();

    const message = await refusal({ ...settings, ...empty.environment });

    expect(message).toContain(setting);
    const { COREDUMPS_DIR } = empty.environment;
    if (COREDUMPS_DIR !== undefined) expect(existsSync(COREDUMPS_DIR)).toBe(false);
  });

  it('are paired again when the database has nothing that the new storage could lack', async () => {
    const app = await aServer((await makeStorage()).environment);
    await aDevice(app);
    await app.close();

    const again = await app.restart((await makeStorage()).environment);

    expect((await stored(again, 'a dump')).status).toBe('ok');
  });

  it('of an earlier version are adopted when the newest rows have their files, and not otherwise', async () => {
    const storage = await makeStorage();
    const { settings } = await anInstallation(storage);
    const other = await anInstallation(await makeStorage());
    await forgetIdentity(settings.DATABASE_URL ?? '');
    await forgetIdentity(other.settings.DATABASE_URL ?? '');
    await withoutNotes(storage);
    const before = await storage.contents();

    expect(
      await refusal({ ...storage.environment, DATABASE_URL: other.settings.DATABASE_URL ?? '' }),
    ).toContain('DATABASE_URL');
    expect(await refusal(storage.environment)).toContain('DATABASE_URL');
    expect(await storage.contents()).toEqual(before);
    const adopted = await aServer(settings);

    expect((await everythingOf(adopted)).coredumps.totalCount).toBe(3);
    await adopted.close();
    expect(await refusal(storage.environment)).toContain('belongs to the installation');
  });

  it('may be paired by a person, who is told what will become of the files', async () => {
    const storage = await makeStorage();
    await anInstallation(storage);
    const DATABASE_URL = await aDatabaseUrl(await aFolder());
    const chosen = { ...storage.environment, DATABASE_URL };
    expect(await refusal(chosen)).toContain('coredock adopt');

    const { code, said } = await adopt(chosen);

    expect(code).toBe(0);
    expect(said).toContain('3 core dump files and 1 firmware files have no row');
    const app = await aServer(chosen, { clock: daysLater(2) });
    expect(await storage.contents()).toEqual([
      expect.stringContaining('.orphans/'),
      expect.stringContaining('.orphans/'),
      expect.stringContaining('.orphans/'),
      expect.stringContaining('.orphans/'),
    ]);
    await app.close();
  });

  it('come back from an older state of the database with all that was there', async () => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const older = { ...settings, DATABASE_URL: await aCopyOf(app.config.databaseUrl) };
    const later = await aServer(settings);
    const { coredumpId } = await stored(later, 'the newest');
    const before = await everythingOf(later);
    await later.close();

    // So late that what is set aside at the first start is purged at the last, unless it is kept back.
    const restored = await aServer(older, { clock: daysLater(2) });
    expect((await everythingOf(restored)).coredumps.totalCount).toBe(3);
    await restored.close();
    expect((await storage.contents()).filter((name) => name.includes('.orphans'))).toHaveLength(1);
    await (await aServer(older, { clock: daysLater(20) })).close();

    const back = await aServer(settings);
    expect(await everythingOf(back)).toEqual(before);
    expect(await (await fetch(`${back.url}/api/coredumps/${coredumpId}/download`)).text()).toBe('the newest');
  });

  it('of which the database is older, and is to be the truth, are made a pair by a person', async () => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const older = { ...settings, DATABASE_URL: await aCopyOf(app.config.databaseUrl) };
    const later = await aServer(settings);
    await stored(later, 'the newest');
    await later.close();
    await (await aServer(older, { clock: daysLater(2) })).close();

    const { said } = await adopt(older);

    expect(said).toContain('1 core dump files and 0 firmware files without a row were set aside before');
    expect(await refusal(settings)).toContain('do not belong together');
    await (await aServer(older, { clock: daysLater(20) })).close();
    expect(await storage.contents()).toHaveLength(4);
    expect((await everythingOf(await aServer(older))).coredumps.totalCount).toBe(3);
  });

  it('share one identity when two servers make it at once', async ({ skip }) => {
    skip(!isPostgresql, 'SQLite has one server at a time');
    const storage = await makeStorage();
    const DATABASE_URL = await aDatabaseUrl(await aFolder());
    const environment = { ...storage.environment, DATABASE_URL };

    const servers = await Promise.all(Array.from({ length: 4 }, () => aServer(environment)));
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('there are four');
    await aDevice(first);
    const { coredumpId } = await stored(first, 'a dump');

    expect(await (await fetch(`${second.url}/api/coredumps/${coredumpId}/download`)).text()).toBe('a dump');
    await Promise.all(servers.map((each) => each.close()));
    expect((await everythingOf(await aServer(environment))).coredumps.totalCount).toBe(1);
  });
});

describe('two folders', () => {
  it('that were swapped, or are one, stop the start', async () => {
    const { settings } = await anInstallation(await folders());
    const { COREDUMPS_DIR = '', ASSETS_DIR = '' } = settings;

    const swapped = { ...settings, COREDUMPS_DIR: ASSETS_DIR, ASSETS_DIR: COREDUMPS_DIR };
    expect(await refusal(swapped)).toMatch(/^COREDUMPS_DIR: .* holds firmware/);
    expect(await refusal({ ...settings, ASSETS_DIR: COREDUMPS_DIR })).toMatch(/^ASSETS_DIR: /);
  });

  it('that are in each other, or have the database in them, stop the start before anything is made', async () => {
    const dir = await aFolder();
    const COREDUMPS_DIR = join(dir, 'coredumps');
    const DATABASE_URL = `file:${join(COREDUMPS_DIR, 'coredock.db')}`;

    expect(await refusal({ COREDUMPS_DIR, ASSETS_DIR: join(COREDUMPS_DIR, 'firmware') })).toMatch(
      /^ASSETS_DIR: .* the folder of COREDUMPS_DIR/,
    );
    expect(await refusal({ COREDUMPS_DIR: join(dir, 'a', 'b'), ASSETS_DIR: join(dir, 'a') })).toMatch(
      /^COREDUMPS_DIR: /,
    );
    expect(await refusal({ COREDUMPS_DIR, DATABASE_URL })).toMatch(/^DATABASE_URL: /);

    expect(await readdir(dir)).toEqual([]);
  });

  it('of which one has files that nobody knows stop the start of a new database', async () => {
    const { environment } = await folders();
    const stranger = join(environment.ASSETS_DIR ?? '', 'somebody', 'else.elf');
    await mkdir(join(stranger, '..'), { recursive: true });
    await writeFile(stranger, 'not ours');

    expect(await refusal(environment)).toContain('ASSETS_DIR');
    expect(existsSync(stranger)).toBe(true);
  });
});

/** As an earlier version has left it. */
async function withoutNotes({ environment }: TestStorage): Promise<void> {
  if (environment.S3_BUCKET !== undefined) return server.remove(environment, '.installation.json');
  for (const folder of [environment.COREDUMPS_DIR, environment.ASSETS_DIR]) {
    await rm(join(folder ?? '', '.installation.json'), { force: true });
  }
}

async function adopt(environment: Record<string, string>) {
  return moving('adopt', readConfig(environment), '');
}
