import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/settings.js';
import { openBlobStores } from '../../src/platform/blobs/open-blob-stores.js';
import { put } from '../platform/blob-store-promises.js';
import { aServer, eventually } from '../support/app.js';
import { aBucket, anInstallation, daysLater, folders, type TestStorage } from '../support/installations.js';
import { useS3Server } from '../support/s3-server.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { everythingOf } from '../support/stores.js';

const server = useS3Server();

const STORAGES: Array<[name: string, make: () => Promise<TestStorage>]> = [
  ['folders', folders],
  ['a bucket', () => aBucket(server)],
];

/** As a server with another database would have done. */
async function setAllAside(config: Config): Promise<void> {
  const { dumps, firmwares, close } = await openBlobStores(config);
  for (const store of [dumps, firmwares]) {
    const keys: string[] = [];
    for await (const { key } of store.list()) keys.push(key);
    for (const key of keys) await store.orphan(key);
  }
  close();
}

async function addRowless(config: Config): Promise<void> {
  const { dumps, firmwares, close } = await openBlobStores(config);
  await put(dumps, 'dev1/coredump_20260101T000000_000000Z.dmp', 'nobody knows it');
  await put(firmwares, `thermostat/${'a'.repeat(64)}.elf`, 'nor this');
  close();
}

const isSetAside = (name: string) => name.includes('.orphans/');

describe.each(STORAGES)('what was set aside in %s', (_, makeStorage) => {
  it('comes back at the start when a row wants it', async () => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const before = await storage.contents();
    await setAllAside(app.config);
    expect((await storage.contents()).every(isSetAside)).toBe(true);

    const again = await aServer(settings);

    expect(await storage.contents()).toEqual(before);
    expect((await everythingOf(again)).coredumps.totalCount).toBe(3);
  });

  it('comes back when it is read: by a download, and by a parse that needs dump and ELF', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'the report' }));
    const storage = await makeStorage();
    const { settings } = await anInstallation(storage);
    const app = await aServer({ ...settings, ...sidecar.environment });
    const statuses = async () => {
      const { coredumps } = await app.graphql<{
        coredumps: { nodes: Array<{ id: string; parseStatus: string }> };
      }>('{ coredumps { nodes { id parseStatus } } }');
      return coredumps.nodes;
    };
    const allParsed = () =>
      eventually(
        async () => (await statuses()).every(({ parseStatus }) => parseStatus === 'PARSED'),
        'all are parsed',
      );
    await allParsed();
    await setAllAside(app.config);

    const [first, second] = await statuses();
    const answer = await fetch(`${app.url}/api/coredumps/${first?.id}/download`);
    await app.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
      id: second?.id,
    });
    await allParsed();

    expect(answer.status).toBe(200);
    expect((await storage.contents()).filter((name) => !isSetAside(name))).toHaveLength(3);
  });

  it('is removed after a week, unless a row wants it', async () => {
    const storage = await makeStorage();
    const { app, settings } = await anInstallation(storage);
    const before = await storage.contents();
    await addRowless(app.config);
    await setAllAside(app.config);

    await (await aServer(settings, { clock: daysLater(6) })).close();
    expect(await storage.contents()).toHaveLength(before.length + 2);
    await setAllAside(app.config);
    await (await aServer(settings, { clock: daysLater(20) })).close();

    expect(await storage.contents()).toEqual(before);
    expect((await everythingOf(await aServer(settings))).coredumps.totalCount).toBe(3);
  });
});
