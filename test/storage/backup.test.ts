import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Config, readConfig } from '../../src/config/settings.js';
import { takeLock } from '../../src/platform/database/sqlite/lock-file.js';
import { aDevice, aServer, stored, type TestApp } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { uploadFirmware } from '../support/firmware.js';
import { anS3Proxy } from '../support/s3-proxy.js';
import { useS3Server } from '../support/s3-server.js';
import { aFolder, everythingOf, moving } from '../support/stores.js';

const server = useS3Server();

/** A server that has something, stopped. */
async function aStoppedServer(): Promise<{ app: TestApp; before: Awaited<ReturnType<typeof everythingOf>> }> {
  const app = await aServer();
  await aDevice(app, { key: 'dev1' });
  await aDevice(app, { key: 'dev2' });
  await uploadFirmware(app, {});
  for (let index = 0; index < 8; index += 1) {
    await stored(app, `dump ${index}`, { device: index % 3 === 0 ? 'dev1' : 'dev2' });
  }
  const before = await everythingOf(app);
  await app.close();
  return { app, before };
}

async function settings(
  dir: string,
  environment: Record<string, string> = {},
): Promise<Record<string, string>> {
  return {
    DATABASE_URL: await aDatabaseUrl(dir),
    COREDUMPS_DIR: join(dir, 'coredumps'),
    ASSETS_DIR: join(dir, 'firmware'),
    ...environment,
  };
}

function dumpFile(config: Config, before: { coredumps: { nodes: unknown[] } }): string {
  const [{ filename }] = before.coredumps.nodes as [{ filename: string }];
  return join(config.coredumpsDir, 'dev2', filename);
}

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length))
    .sort();
}

describe('export and import', () => {
  it('make the same server of another database and storage, and leave the first one as it was', async () => {
    const { app, before } = await aStoppedServer();
    const target = await settings(await aFolder());
    const archive = join(await aFolder(), 'export');

    const exported = await moving('export', app.config, archive);
    const imported = await moving('import', readConfig(target), archive);

    expect(exported).toMatchObject({ code: 0, complaints: '' });
    expect(exported.said).toContain('8 of Coredump');
    expect(imported).toMatchObject({ code: 0, complaints: '' });
    expect(imported.said).toContain('8 core dumps (48 bytes) and 1 firmware ELFs');
    expect(await everythingOf(await aServer(target))).toEqual(before);
    expect(await everythingOf(await app.restart())).toEqual(before);
  });

  it('refuse while a server is running', async () => {
    const running = await aServer();

    const exporting = moving('export', running.config, join(await aFolder(), 'export'));

    await expect(exporting).rejects.toThrow(/in use by a.* Coredock server; stop/);
  });

  it('refuse to add to what is there, and to read what is not whole', async () => {
    const { app } = await aStoppedServer();
    const folder = await aFolder();
    const archive = join(folder, 'export');
    await moving('export', app.config, archive);

    await expect(moving('import', app.config, archive)).rejects.toThrow(/has rows in \w+ already/);
    await expect(moving('export', app.config, archive)).rejects.toThrow('is not empty (manifest.json)');
    await expect(moving('import', app.config, folder)).rejects.toThrow('is not a finished export');

    const manifest = join(archive, 'manifest.json');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"tokenSha256"', '"tokenSha512"'));
    await expect(moving('import', app.config, archive)).rejects.toThrow('another version of Coredock');
  });

  it('notice what was damaged on the way, and begin again when it is mended', async () => {
    const { app, before } = await aStoppedServer();
    const target = await settings(await aFolder());
    const archive = join(await aFolder(), 'export');
    await moving('export', app.config, archive);
    const dump = dumpFile({ ...app.config, coredumpsDir: join(archive, 'coredumps') }, before);
    const table = join(archive, 'tables', 'Coredump.ndjson');
    const [bytes, rows] = [await readFile(dump), await readFile(table, 'utf8')];

    await writeFile(dump, 'damaged');
    await expect(moving('import', readConfig(target), archive)).rejects.toThrow(
      'the export is damaged: dev2/',
    );
    await writeFile(dump, bytes);
    await writeFile(table, rows.slice(rows.indexOf('\n') + 1));
    await expect(moving('import', readConfig(target), archive)).rejects.toThrow(
      'should have 8 rows, and has 7',
    );
    await rm(table);
    await expect(moving('import', readConfig(target), archive)).rejects.toThrow(
      'the export is damaged: ENOENT',
    );
    await writeFile(table, rows);
    expect(await moving('import', readConfig(target), archive)).toMatchObject({ code: 0 });

    expect(await everythingOf(await aServer(target))).toEqual(before);
  });

  it('leave out what has lost its bytes, and say so', async () => {
    const { app, before } = await aStoppedServer();
    const target = await settings(await aFolder());
    const archive = join(await aFolder(), 'export');
    const lost = dumpFile(app.config, before);
    await rename(lost, `${lost}.gone`);

    const exported = await moving('export', app.config, archive);
    const imported = await moving('import', readConfig(target), archive);

    for (const { code, complaints } of [exported, imported]) {
      expect(code).toBe(1);
      expect(complaints).toMatch(/^1 rows have missing or damaged bytes.*: dev2\/coredump_/);
    }
    const { coredumps } = await everythingOf(await aServer(target));
    expect(coredumps.nodes).toEqual(before.coredumps.nodes.slice(1));
  });

  it('leave nothing of an export that was killed in a folder that is exported to again', async () => {
    const { app } = await aStoppedServer();
    const [archive, clean] = [join(await aFolder(), 'export'), join(await aFolder(), 'export')];
    await moving('export', app.config, clean);
    const left = {
      coredumps: [`.incoming/${randomUUID()}`, 'dev1/coredump_20260101T000000_000000Z.dmp'],
      firmware: [`.incoming/${randomUUID()}`, `thermostat/${'a'.repeat(64)}.elf`],
      tables: ['NoLonger.ndjson', 'Coredump.ndjson'],
      '.': ['blobs.ndjson', 'manifest.json.new'],
    };
    for (const [folder, names] of Object.entries(left)) {
      for (const name of names) await write(join(archive, folder, name), 'what a killed export has left');
    }

    expect(await moving('export', app.config, archive)).toMatchObject({ code: 0, complaints: '' });

    expect(await filesIn(archive)).toEqual(await filesIn(clean));
  });

  it('may be ended halfway by a bucket in trouble, and begun again', async () => {
    const { app, before } = await aStoppedServer();
    const archive = join(await aFolder(), 'export');
    await moving('export', app.config, archive);
    const endpoint = await anS3Proxy(server.url());
    const bucket = { ...(await server.newBucket()), S3_ENDPOINT: endpoint.url };
    const target = await settings(await aFolder(), bucket);
    let puts = 0;
    endpoint.happens(({ method, path }) => {
      if (method === 'PUT' && path.endsWith('.dmp')) puts += 1;
      return puts > 4 ? { answer: 403, code: 'AccessDenied' } : null;
    });

    await expect(moving('import', readConfig(target), archive)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    endpoint.happens(() => null);
    expect(await moving('import', readConfig(target), archive)).toMatchObject({ code: 0 });

    expect(await everythingOf(await aServer(target))).toEqual(before);
  });
});

describe.runIf(inject('postgresql') === undefined)('backup (needs SQLite)', () => {
  it('is a server of its own, laid out as ./data', async () => {
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    await stored(app, 'the dump');
    const folder = join(await aFolder(), 'backup');

    // The server is running.
    const { code, said } = await moving('backup', app.config, folder);

    expect(code).toBe(0);
    expect(said).toContain('1 core dumps (8 bytes) and 1 firmware ELFs');
    const restored = await aServer({
      DATABASE_URL: `file:${join(folder, 'coredock.db')}`,
      COREDUMPS_DIR: join(folder, 'coredumps'),
      ASSETS_DIR: join(folder, 'firmware'),
    });
    expect(await everythingOf(restored)).toEqual(await everythingOf(app));
  });

  it('takes bytes from a bucket as well', async () => {
    const app = await aServer(await server.newBucket());
    await aDevice(app);
    await stored(app, 'the dump');
    const folder = join(await aFolder(), 'backup');

    expect(await moving('backup', app.config, folder)).toMatchObject({ code: 0 });

    const restored = await aServer({
      DATABASE_URL: `file:${join(folder, 'coredock.db')}`,
      COREDUMPS_DIR: join(folder, 'coredumps'),
      ASSETS_DIR: join(folder, 'firmware'),
    });
    expect(await everythingOf(restored)).toEqual(await everythingOf(app));
  });

  it('has no row without bytes, and names what the storage had lost', async () => {
    const { app, before } = await aStoppedServer();
    await rm(dumpFile(app.config, before));
    const folder = join(await aFolder(), 'backup');

    const { code, complaints } = await moving('backup', app.config, folder);

    expect(code).toBe(1);
    expect(complaints).toMatch(
      /^1 rows have missing or damaged bytes.*they are not in the backup: dev2\/coredump_/,
    );
    const restored = await aServer({
      DATABASE_URL: `file:${join(folder, 'coredock.db')}`,
      COREDUMPS_DIR: join(folder, 'coredumps'),
      ASSETS_DIR: join(folder, 'firmware'),
    });
    expect((await everythingOf(restored)).coredumps.nodes).toEqual(before.coredumps.nodes.slice(1));
  });

  // Those with a journal are of earlier versions, whose locks had one.
  it.each([
    ['its lock', ['.lock']],
    ['its lock with a journal', ['.lock', '.lock-journal']],
    ['the journal of its lock', ['.lock-journal']],
    ['its folder and its lock', ['.lock', '/coredock.db', '/coredumps/.incoming/half']],
    ['its folder and its lock with a journal', ['.lock', '.lock-journal', '/coredock.db']],
  ])('removes what one that was killed has left: %s', async (_, suffixes) => {
    const app = await aServer();
    const folder = await aFolder();
    const killed = join(folder, 'killed.coredock-partial');
    for (const suffix of suffixes) {
      await write(`${killed}${suffix}`, suffix === '.lock' ? '' : Buffer.alloc(512));
    }
    const hasFolder = suffixes.some((suffix) => suffix.startsWith('/'));

    const outcome = await moving('backup', app.config, join(folder, 'next'));

    expect(outcome).toMatchObject({ code: 0, complaints: '' });
    expect(outcome.said.includes(`removed ${killed}, which`)).toBe(hasFolder);
    expect(await readdir(folder)).toEqual(['next']);
  });

  it('leaves the lock of one at work that has not got its folder yet', async () => {
    const app = await aServer();
    const folder = await aFolder();
    const begun = join(folder, 'begun.coredock-partial.lock');
    const lock = takeLock(begun);
    onTestFinished(() => lock?.release());

    expect(await moving('backup', app.config, join(folder, 'next'))).toMatchObject({
      code: 0,
      complaints: '',
    });
    const same = moving('backup', app.config, join(folder, 'begun'));

    await expect(same).rejects.toThrow('another backup is writing to');
    expect((await readdir(folder)).sort()).toEqual(['begun.coredock-partial.lock', 'next']);
  });

  it('refuses a folder that has something in it, and a database that is not its business', async () => {
    const app = await aServer();
    const config = { ...app.config, databaseUrl: 'postgresql://db/coredock' };

    await expect(moving('backup', app.config, app.dir)).rejects.toThrow('is not empty');
    await expect(moving('backup', config, join(app.dir, 'x'))).rejects.toThrow(
      'backup is for the embedded database',
    );
    // Nobody can write there, not even root.
    await expect(moving('backup', app.config, '/proc/x')).rejects.toThrow(
      'the folder /proc/x cannot be made: /proc cannot be written',
    );
  });
});
