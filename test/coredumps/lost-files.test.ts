import { createClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { useS3Server } from '../support/s3-server.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { aStorageOf } from '../support/storage.js';

const server = useS3Server();

interface Dump {
  parseStatus: string;
  parseAttempts: number;
  parsedOutput: string | null;
  parsedAt: string | null;
  fingerprint: string | null;
  rawLostAt: string | null;
  report: { reason: string } | null;
}

const ELF = aFirmwareElf({ version: '1.0.0' });
const REPORT = { reason: 'abort()', fingerprint: '1:abc', tasks: [] };

describe.each(['files', 'a bucket'])('with %s', (kind) => {
  async function aServerThatReads() {
    const sidecar = await aSidecar((_, response) =>
      answerJson(response, 200, { output: `reading ${sidecar.requests.length}`, report: REPORT }),
    );
    const bucket = kind === 'files' ? {} : await server.newBucket();
    const app = await aServer({ ...sidecar.environment, ...bucket });
    await aDevice(app);
    await uploadFirmware(app, { elf: ELF });
    const storage = await aStorageOf(app);
    const [elf = ''] = await storage.keys('elf');
    return { app, sidecar, storage, elf };
  }

  describe('a build whose ELF is lost', () => {
    it('ends its dumps once, naming the file, and says that the storage has lost something', async () => {
      const { app, sidecar, storage, elf } = await aServerThatReads();
      await storage.lose('elf', elf);
      const events = await statusesOf(app);

      const first = await ended(app, (await stored(app, 'first')).coredumpId);
      await ended(app, (await stored(app, 'second')).coredumpId);

      expect(first).toMatchObject({ parseStatus: 'ERROR', report: null });
      expect(first.parsedOutput).toContain(`the storage has no ${elf}`);
      expect(first.parsedOutput).toContain('firmware version "1.0.0" of model "thermostat"');
      expect(sidecar.requests).toEqual([]);
      await lostWasMet(app, 'lost_firmware', 2);
      await eventually(async () => events.length >= 4, 'everybody was told');
      expect(events).toEqual(['PENDING', 'ERROR', 'PENDING', 'ERROR']);
      expect(await metric(app, 'coredock_storage_lost{kind="firmware"}')).toBe(1);
      expect(await readiness(app)).toEqual({ code: 200, status: 'ok', storageLost: ['firmware'] });
      expect(await elfLostAt(app)).not.toBeNull();
      expect(await waitedFor(app)).toEqual(['1.0.0']);
    });

    it('reads them once when the same ELF is uploaded again, and never again by itself', async () => {
      const { app, sidecar, storage, elf } = await aServerThatReads();
      await storage.lose('elf', elf);
      const { coredumpId } = await stored(app, 'dump');
      await ended(app, coredumpId);

      await uploadFirmware(app, { elf: ELF });

      expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED' });
      expect(await storage.keys('elf')).toEqual([elf]);
      expect(await readiness(app)).toEqual({ code: 200, status: 'ok', storageLost: [] });
      expect(await elfLostAt(app)).toBeNull();
      const again = await app.restart();
      await settled(again);
      expect(sidecar.requests).toHaveLength(1);
    });

    it('is mended by the same upload where its file is cut short', async () => {
      const { app, storage, elf } = await aServerThatReads();
      await storage.cut('elf', elf);
      const { coredumpId } = await stored(app, 'dump');
      const before = await ended(app, coredumpId);

      await uploadFirmware(app, { elf: ELF });

      expect(before.parsedOutput).toContain(`the storage has no ${elf}`);
      expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED' });
    });

    it('is used again after its file was restored', async () => {
      const { app, sidecar, storage, elf } = await aServerThatReads();
      const restore = await storage.lose('elf', elf);
      const { coredumpId } = await stored(app, 'dump');
      await ended(app, coredumpId);
      await restore();

      const again = await app.restart();

      await eventually(async () => (await dump(again, coredumpId)).parseStatus === 'PARSED', 'it is read');
      expect(sidecar.requests).toHaveLength(1);
      expect(await metric(again, 'coredock_storage_lost{kind="firmware"}')).toBe(0);
    });

    it('takes no report away from dumps that are to be read again', async () => {
      const { app, storage, elf } = await aServerThatReads();
      const { coredumpId } = await stored(app, 'dump');
      const before = await ended(app, coredumpId);
      await storage.lose('elf', elf);

      await app.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');

      await lostWasMet(app, 'lost_firmware');
      expect(await ended(app, coredumpId)).toEqual(before);
    });

    it('is noticed at the start, whoever asks for it', async () => {
      const { app, storage, elf } = await aServerThatReads();
      await storage.lose('elf', elf);

      const again = await app.restart();

      await eventually(async () => (await readiness(again)).storageLost.length === 1, 'it is noticed');
      expect(await elfLostAt(again)).not.toBeNull();
    });
  });

  describe('a dump whose file is lost', () => {
    it('that was read keeps its report, and a re-parse of it is refused', async () => {
      const { app, storage } = await aServerThatReads();
      const { coredumpId, filename } = await stored(app, 'dump');
      const before = await ended(app, coredumpId);
      await storage.lose('dump', `dev1/${filename}`);

      const asking = app.graphql(
        'mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }',
        {
          id: coredumpId,
        },
      );

      await expect(asking).rejects.toThrow(/CONFLICT.*|missing in the storage/);
      const now = await dump(app, coredumpId);
      expect(now).toEqual({ ...before, rawLostAt: expect.any(String) });
      expect(await readiness(app)).toEqual({ code: 200, status: 'ok', storageLost: ['coredump'] });
    });

    it('keeps it also when all are read again', async () => {
      const { app, sidecar, storage } = await aServerThatReads();
      const kept = await stored(app, 'kept');
      const lost = await stored(app, 'lost');
      const before = await ended(app, lost.coredumpId);
      await ended(app, kept.coredumpId);
      await storage.lose('dump', `dev1/${lost.filename}`);

      await app.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');

      await lostWasMet(app, 'lost_coredump');
      expect(await ended(app, lost.coredumpId)).toEqual({ ...before, rawLostAt: expect.any(String) });
      expect(await ended(app, kept.coredumpId)).toMatchObject({ parsedOutput: 'reading 3' });
      expect(sidecar.requests).toHaveLength(3);
      expect(await metric(app, 'coredock_storage_lost{kind="coredump"}')).toBe(1);
    });

    it('that was not read yet ends once, naming it, and is read once when it is restored', async () => {
      const { app, sidecar, storage } = await aServerThatReads();
      const withoutParser = await app.restart({ PARSE_SIDECAR_URL: '', PARSE_SIDECAR_XFER_DIR: '' });
      const { coredumpId, filename } = await stored(withoutParser, 'dump');
      const restore = await storage.lose('dump', `dev1/${filename}`);

      const reading = await withoutParser.restart(sidecar.environment);
      const lost = await ended(reading, coredumpId);
      await restore();
      const again = await reading.restart();

      expect(lost).toMatchObject({ parseStatus: 'ERROR', report: null });
      expect(lost.parsedOutput).toContain(`its file is missing in the storage: dev1/${filename}`);
      await eventually(async () => (await dump(again, coredumpId)).parseStatus === 'PARSED', 'it is read');
      expect((await dump(again, coredumpId)).rawLostAt).toBeNull();
      expect(sidecar.requests).toHaveLength(1);
    });

    it('is noticed at the start, and a download says so', async () => {
      const { app, storage } = await aServerThatReads();
      const { coredumpId, filename } = await stored(app, 'dump');
      await ended(app, coredumpId);
      await storage.lose('dump', `dev1/${filename}`);

      const again = await app.restart();

      await eventually(async () => (await readiness(again)).storageLost.length === 1, 'it is noticed');
      const answer = await errorOf(await fetch(`${again.url}/api/coredumps/${coredumpId}/download`));
      expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
      expect(answer.message).toContain('missing in the storage');
    });
  });
});

async function dump(app: TestApp, id: string): Promise<Dump> {
  const { coredump } = await app.graphql<{ coredump: Dump }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parseAttempts parsedOutput parsedAt fingerprint rawLostAt report { reason } } }`,
    { id },
  );
  return coredump;
}

async function ended(app: TestApp, id: string): Promise<Dump> {
  return eventually(async () => {
    const now = await dump(app, id);
    return now.parseStatus === 'PENDING' ? null : now;
  }, 'the parse ends');
}

/** A new dump was read: whatever the queue had before it has had its turn. */
async function settled(app: TestApp): Promise<void> {
  await eventually(async () => (await pending(app)) === 0, 'nothing is pending');
}

async function pending(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
  );
  return coredumps.totalCount;
}

async function lostWasMet(app: TestApp, kind: string, times = 1): Promise<void> {
  await eventually(
    async () => (await metric(app, `coredump_parse_errors_total{kind="${kind}"}`)) === times,
    'parses met the loss',
  );
}

async function metric(app: TestApp, name: string): Promise<number> {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length));
}

async function readiness(app: TestApp): Promise<{ code: number; status: string; storageLost: string[] }> {
  const response = await fetch(`${app.url}/readyz`);
  const { status, storageLost } = (await response.json()) as { status: string; storageLost: string[] };
  return { code: response.status, status, storageLost };
}

async function elfLostAt(app: TestApp): Promise<string | null> {
  const { deviceModel } = await app.graphql<{
    deviceModel: { firmwares: { nodes: Array<{ elfLostAt: string | null }> } };
  }>('{ deviceModel(code: "thermostat") { firmwares { nodes { elfLostAt } } } }');
  return deviceModel.firmwares.nodes[0]?.elfLostAt ?? null;
}

async function waitedFor(app: TestApp): Promise<string[]> {
  const { missingFirmwares } = await app.graphql<{ missingFirmwares: Array<{ firmwareVersion: string }> }>(
    '{ missingFirmwares(first: 5) { firmwareVersion } }',
  );
  return missingFirmwares.map(({ firmwareVersion }) => firmwareVersion);
}

/** Every change of a dump's status from here on, as a page is told. */
async function statusesOf(app: TestApp): Promise<string[]> {
  const client = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
  onTestFinished(() => client.dispose());
  const statuses: string[] = [];
  const events = client.iterate<{ parseStatus: { parseStatus: string } }>({
    query: 'subscription { parseStatus { parseStatus } }',
  });
  void (async () => {
    for await (const { data } of events) statuses.push(data?.parseStatus.parseStatus ?? '');
  })().catch(() => {});
  await eventually(async () => (await metric(app, 'coredump_event_subscribers')) === 1, 'somebody listens');
  return statuses;
}
