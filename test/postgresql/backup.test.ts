import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { aDatabaseUrl } from '../support/database.js';
import { uploadFirmware } from '../support/firmware.js';
import { useS3Server } from '../support/s3-server.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { aFolder, everythingOf, moving } from '../support/stores.js';

const s3 = useS3Server();

async function allEnded(app: TestApp): Promise<void> {
  await eventually(async () => {
    const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
      '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
    );
    return coredumps.totalCount === 0;
  }, 'every parse ends');
}

describe('moving house', () => {
  it('from SQLite and files to PostgreSQL and S3, and back, loses nothing and keeps ids and tokens', async () => {
    const sidecar = await aSidecar(({ coreBytes }, response) =>
      coreBytes.includes('unreadable')
        ? answerJson(response, 422, { error: 'not a dump' })
        : answerJson(response, 200, {
            output: `the report of ${coreBytes}`,
            report: { reason: `abort() ü \0 in ${coreBytes}`, elfMatches: true },
          }),
    );
    const small = await aFolder();
    const smallSettings = {
      DATABASE_URL: `file:${join(small, 'coredock.db')}`,
      COREDUMPS_DIR: join(small, 'coredumps'),
      ASSETS_DIR: join(small, 'firmware'),
    };
    const first = await aServer({ ...smallSettings, ...sidecar.environment });
    const { token } = await aDevice(first, { key: 'dev1' });
    await aDevice(first, { key: 'dev2', modelCode: 'gateway' });
    await uploadFirmware(first, {});
    for (let index = 0; index < 30; index += 1) {
      const body = `dump ${index} ${index % 10 === 0 ? 'unreadable' : '\0\x01\xff'}`;
      await stored(first, Buffer.from(body, 'latin1'), { device: index % 3 === 0 ? 'dev2' : 'dev1' });
    }
    await allEnded(first);
    const { coredumpId: newest } = await stored(first, 'to be deleted');
    await first.graphql(`mutation { deleteCoredump(input: { id: "${newest}" }) { deletedCoredumpId } }`);
    const before = await everythingOf(first);
    await first.close();

    const wide = { DATABASE_URL: await aDatabaseUrl(small), ...(await s3.newBucket()) };
    const there = join(await aFolder(), 'there');
    expect(await moving('export', first.config, there)).toMatchObject({ code: 0 });
    const spool = await aFolder();
    const wideConfig = readConfig({ ...wide, COREDUMPS_DIR: join(spool, 'c'), ASSETS_DIR: join(spool, 'f') });
    expect(await moving('import', wideConfig, there)).toMatchObject({ code: 0 });

    const second = await aServer({ ...wide, ...sidecar.environment });
    expect(before.coredumps.totalCount).toBeGreaterThan(25);
    expect(await everythingOf(second)).toEqual(before);
    await expect(moving('export', second.config, join(await aFolder(), 'x'))).rejects.toThrow(
      'stop every server',
    );
    const again = await fetch(`${second.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: 'with the token of old',
    });
    expect(again.status).toBe(201);
    const { coredumpId } = (await again.json()) as { coredumpId: string };
    expect([newest, ...before.coredumps.nodes.map(({ id }) => id)]).not.toContain(coredumpId);
    await allEnded(second);
    const after = await everythingOf(second);
    await second.close();

    const back = join(await aFolder(), 'back');
    expect(await moving('export', second.config, back)).toMatchObject({ code: 0 });
    const home = await aFolder();
    const homeSettings = {
      DATABASE_URL: `file:${join(home, 'coredock.db')}`,
      COREDUMPS_DIR: join(home, 'coredumps'),
      ASSETS_DIR: join(home, 'firmware'),
    };
    expect(await moving('import', readConfig(homeSettings), back)).toMatchObject({ code: 0 });
    expect(await everythingOf(await aServer(homeSettings))).toEqual(after);
  });
});
