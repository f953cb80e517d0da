import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { aDevice, aServer, stored } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { anIngestKey, devicesOf, uploadBySerial } from '../support/enrolment.js';
import { uploadFirmware } from '../support/firmware.js';
import { aFolder, moving } from '../support/stores.js';

/** Columns that were added for version 1. */
const ADDED =
  /^(serial|approval|ingestKeyId|lastSeenAt|lastBoot\w+|lastResetReason|revision|reset[A-Z]\w+|\w*[rR]uns|runSeconds)$/;
const CHANGED = ['Device', 'Firmware', 'DeviceDay'];

describe('an export', () => {
  it('has ingest keys, and what they are about', async () => {
    const app = await aServer();
    const { key } = await anIngestKey(app, { requiresApproval: true });
    await uploadBySerial(app, 'SN1', { key });
    const before = await devicesOf(app);
    await app.close();
    const [archive, target] = [join(await aFolder(), 'export'), await settings()];

    await moving('export', app.config, archive);
    await moving('import', readConfig(target), archive);

    const other = await aServer(target);
    expect(await devicesOf(other)).toEqual(before);
    expect((await uploadBySerial(other, 'SN1', { key, body: 'b' })).status).toBe(201);
    expect(await devicesOf(other)).toMatchObject([{ serial: 'SN1', approval: 'PENDING', coredumpCount: 2 }]);
  });

  it('of before version 1 is imported: its devices are approved, and have no serials', async () => {
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    await stored(app, 'dump');
    const before = await devicesOf(app);
    await app.close();
    const [archive, target] = [join(await aFolder(), 'export'), await settings()];
    await moving('export', app.config, archive);
    await asBeforeVersion1(archive);

    expect(await moving('import', readConfig(target), archive)).toMatchObject({ code: 0 });

    expect(await devicesOf(await aServer(target))).toEqual(before);
    expect(before).toMatchObject([{ key: 'dev1', serial: null, approval: 'APPROVED', coredumpCount: 1 }]);
  });
});

async function asBeforeVersion1(archive: string): Promise<void> {
  const manifest = join(archive, 'manifest.json');
  const { tables, ...rest } = JSON.parse(await readFile(manifest, 'utf8')) as {
    tables: Array<{ name: string; columns: Array<{ name: string }> }>;
  };
  const older = tables
    .filter(({ name }) => name !== 'IngestKey')
    .map((table) => ({
      ...table,
      columns: table.columns.filter(({ name }) => !CHANGED.includes(table.name) || !ADDED.test(name)),
    }));
  await writeFile(manifest, JSON.stringify({ ...rest, tables: older }));
  await rm(join(archive, 'tables', 'IngestKey.ndjson'));
  for (const name of CHANGED) {
    const table = join(archive, 'tables', `${name}.ndjson`);
    const rows = (await readFile(table, 'utf8')).split('\n').filter((row) => row !== '');
    await writeFile(table, rows.map((row) => `${withoutAdded(row)}\n`).join(''));
  }
}

function withoutAdded(row: string): string {
  const columns = Object.entries(JSON.parse(row) as object);
  return JSON.stringify(Object.fromEntries(columns.filter(([name]) => !ADDED.test(name))));
}

async function settings(): Promise<Record<string, string>> {
  const dir = await aFolder();
  return {
    DATABASE_URL: await aDatabaseUrl(dir),
    COREDUMPS_DIR: join(dir, 'coredumps'),
    ASSETS_DIR: join(dir, 'firmware'),
  };
}
