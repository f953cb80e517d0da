import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, type Stored, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { aSubscriber } from '../support/subscriber.js';

/** Two servers, of which only the second one parses, so that every change but an arrival is made there. */
async function twoServers(answer: Parameters<typeof aSidecar>[0]) {
  const sidecar = await aSidecar(answer);
  const a = await aServer();
  const b = await a.another(sidecar.environment);
  const device = await aDevice(a);
  await uploadFirmware(b, { elf: aFirmwareElf({ version: '1.0.0' }) });
  return { a, b, device };
}

const parsed: Parameters<typeof aSidecar>[0] = (_, response) => answerJson(response, 200, { output: 'read' });

/** Ends the connections by which servers listen, as an administrator or a failing network does. */
function keepCutting(
  app: TestApp,
  which = `query LIKE 'LISTEN%' OR query LIKE '%pg_snapshot%'`,
): { stop(): Promise<number> } {
  let isDone = false;
  const cutting = (async () => {
    const client = new pg.Client(app.config.databaseUrl);
    await client.connect();
    let cuts = 0;
    while (!isDone) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND (${which})`,
      );
      cuts += rowCount ?? 0;
    }
    await client.end();
    return cuts;
  })();
  return {
    stop() {
      isDone = true;
      return cutting;
    },
  };
}

describe('a subscriber at another server than the one where things happen', () => {
  it('hears of an arrival and of its end', async () => {
    const { a, b } = await twoServers(parsed);
    const { states } = await aSubscriber(a);

    const { coredumpId } = await stored(b, 'a dump');

    await eventually(async () => states.get(coredumpId) === 'PARSED', 'the end is told');
  });

  it('hears of its device only, or of its dump only', async () => {
    const { a, b, device } = await twoServers(parsed);
    await aDevice(b, { key: 'dev2' });
    const { coredumpId: own } = await stored(b, 'a dump');
    const ofDevice = await aSubscriber(a, { device: device.id });
    const ofDump = await aSubscriber(a, { dump: own });

    const { coredumpId: other } = await stored(b, 'a dump of another device', { device: 'dev2' });
    const all = await aSubscriber(a);
    await b.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
      id: own,
    });
    await b.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
      id: other,
    });

    await eventually(async () => all.told.some(({ id }) => id === other), 'the other dump is told');
    await eventually(async () => ofDevice.states.get(own) === 'PARSED', 'the device’s dump');
    await eventually(async () => ofDump.states.get(own) === 'PARSED', 'the dump');
    for (const { told } of [ofDevice, ofDump])
      expect(new Set(told.map(({ id }) => id))).toEqual(new Set([own]));
  });

  it('sees the final state always, when it subscribes and then reads', async () => {
    const { a, b } = await twoServers(parsed);
    const { coredumpId } = await stored(b, 'a dump');

    for (let round = 0; round < 20; round++) {
      const reparse = b.graphql(
        'mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }',
        {
          id: coredumpId,
        },
      );
      const { told } = await aSubscriber(a, { dump: coredumpId });
      await reparse;
      await eventually(async () => (await statusOf(b, coredumpId)) === 'PARSED', 'it is parsed again');
      await eventually(
        async () => told.at(-1)?.parseStatus === 'PARSED',
        `the final state of round ${round}`,
      );
    }
  });

  it('never hears of an older state after a newer one', async () => {
    const sidecar = await aSidecar(parsed);
    const a = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '100' });
    const b = await a.another();
    await aDevice(a);
    await uploadFirmware(a, {});
    const subscriber = await aSubscriber(a);

    // Arrivals at the subscriber's own server are told at once, and their ends come from the other one.
    const dumps = await Promise.all(
      Array.from({ length: 30 }, (_, index) => stored(index % 2 === 0 ? a : b, `dump ${index}`)),
    );

    await eventually(
      async () => dumps.every(({ coredumpId }) => subscriber.states.get(coredumpId) === 'PARSED'),
      'every end is told',
    );
    for (const { coredumpId } of dumps) {
      const states = subscriber.told
        .filter(({ id }) => id === coredumpId)
        .map(({ parseStatus }) => parseStatus);
      expect(['PENDING,PARSED', 'PARSED']).toContain(states.join());
    }
  });
});

describe('a server whose listening connection is cut', () => {
  it('tells what changed meanwhile when it listens again: one dump, a device, the fleet', async () => {
    const { a, b, device } = await twoServers(parsed);
    const dumps: Stored[] = [];
    for (let index = 0; index < 5; index++) dumps.push(await stored(b, `old dump ${index}`));
    for (const { coredumpId } of dumps) {
      await eventually(async () => (await statusOf(b, coredumpId)) === 'PARSED', 'it is parsed');
    }
    const [first] = dumps;
    const subscribers = [
      await aSubscriber(a),
      await aSubscriber(a, { device: device.id }),
      await aSubscriber(a, { dump: first?.coredumpId ?? '' }),
    ];

    for (let round = 0; round < 5; round++) {
      for (const { told } of subscribers) told.length = 0;
      // Re-parses and arrivals while both are deaf, over and over.
      const cutting = keepCutting(a);
      await b.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');
      const fresh = await stored(b, `new dump ${round}`);
      dumps.push(fresh);
      for (const { coredumpId } of dumps) {
        await eventually(async () => (await statusOf(b, coredumpId)) === 'PARSED', 'it is parsed');
      }
      expect(await cutting.stop()).toBeGreaterThanOrEqual(1);

      const [fleet, ofDevice, ofDump] = subscribers;
      for (const subscriber of [fleet, ofDevice]) {
        await eventually(
          async () =>
            dumps.every(
              ({ coredumpId }) =>
                subscriber?.told.findLast(({ id }) => id === coredumpId)?.parseStatus === 'PARSED',
            ),
          `the final states of round ${round}`,
        );
      }
      await eventually(
        async () => ofDump?.told.at(-1)?.parseStatus === 'PARSED',
        'the one dump’s final state',
      );
    }
  });
});

describe('a database whose connections are all cut, also those that are just being made', () => {
  it('is heard again as soon as it lets them be', async () => {
    const { a, b } = await twoServers(parsed);
    const { states } = await aSubscriber(a);

    for (let round = 0; round < 5; round++) {
      const cutting = keepCutting(a, "backend_type = 'client backend'");
      await pause(1_000);
      expect(await cutting.stop()).toBeGreaterThan(1);

      const { coredumpId } = await eventually(
        () => stored(b, `dump ${round}`).catch(() => null),
        'it is stored',
      );
      await eventually(async () => states.get(coredumpId) === 'PARSED', `the end of round ${round} is told`);
    }
  });
});

async function statusOf(app: TestApp, id: string): Promise<string | undefined> {
  const { coredump } = await app.graphql<{ coredump: { parseStatus: string } | null }>(
    'query ($id: ID!) { coredump(id: $id) { parseStatus } }',
    { id },
  );
  return coredump?.parseStatus;
}
