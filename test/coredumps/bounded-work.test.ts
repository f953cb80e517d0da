import fc from 'fast-check';
import { createClient } from 'graphql-sse';
import pino from 'pino';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { FILES_COMPARED } from '../../src/compose/start-background.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { aDevice, aServer, eventually, upload } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { sql } from '../support/sql.js';
import { aStorageOf } from '../support/storage.js';

const RUNS = Number(process.env.BOUNDED_WORK_RUNS ?? (inject('postgresql') === undefined ? 8 : 4));
const VERSIONS = ['1.0.0', '2.0.0'] as const;
const MAX_ATTEMPTS = 3;

type World = Awaited<ReturnType<typeof aWorld>>;
type Step = { name: keyof typeof STEPS; which: number };

/**
 * Everything that may happen to dumps, builds and their files. What a step says is news is a reason to read dumps
 * (again); the others are none.
 */
const STEPS = {
  'a dump arrives': (world: World, which: number) => world.upload(pick(VERSIONS, which)),
  'a build arrives': (world: World, which: number) => world.uploadBuild(pick(VERSIONS, which)),
  'a build is deleted': (world: World, which: number) => world.deleteBuild(which),
  'an ELF is lost': (world: World, which: number) => world.lose('elf', which),
  'an ELF is cut short': (world: World, which: number) => world.cut(which),
  'a raw dump is lost': (world: World, which: number) => world.lose('dump', which),
  'a lost file is restored': (world: World, which: number) => world.restore(which),
  'a person asks for one again': (world: World, which: number) => world.reparse(which),
  'a person asks for all again': (world: World) => world.reparseAll(),
  'a dump is deleted': (world: World, which: number) => world.deleteDump(which),
  'the server starts again': (world: World) => world.restart(),
  'a server dies with a dump in hand': (world: World) => world.dieWithDumps(),
  'the sidecar fails from now on': (world: World) => world.sidecarDoes('fail'),
  'the sidecar breaks off from now on': (world: World) => world.sidecarDoes('break off'),
  'the sidecar finds dumps unreadable from now on': (world: World) => world.sidecarDoes('refuse'),
  'the sidecar answers from now on': (world: World) => world.sidecarDoes('answer'),
  'privacy removes what was read': (world: World) => world.privacy(true),
  'privacy lets it stay': (world: World) => world.privacy(false),
  'everything comes to rest': (world: World) => world.rest(),
};

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom(...(Object.keys(STEPS) as Array<keyof typeof STEPS>)),
  which: fc.nat(10),
});

describe('whatever happens', () => {
  it('each dump is read, and told of, no oftener than there is something new', {
    timeout: 900_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
        const world = await aWorld();
        try {
          for (const { name, which } of steps) await STEPS[name](world, which);
          await world.rest();
          await world.expectBounded();
          await world.expectRest();
        } finally {
          await world.close();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('a lost ELF, a start and a start again are no news', async () => {
    const world = await aWorld();
    const steps: Step[] = [
      { name: 'a build arrives', which: 0 },
      { name: 'an ELF is lost', which: 0 },
      { name: 'a dump arrives', which: 0 },
      { name: 'everything comes to rest', which: 0 },
    ];

    for (const { name, which } of steps) await STEPS[name](world, which);

    await world.expectBounded();
    await world.expectRest();
    await world.close();
  });
});

interface Row {
  id: number;
  parseStatus: string;
  parseAttempts: number;
  parseGeneration: number;
}

/** A server with files and a database, a sidecar that does as it is told, and a count of what was new. */
async function aWorld() {
  let mood: 'answer' | 'fail' | 'break off' | 'refuse' = 'answer';
  let news = 0;
  /** Reasons for which an attempt may be begun anew without being counted. */
  let interruptions = 0;
  let filesCompared = 0;
  let uploads = 0;
  const told = new Map<string, number>();
  const restorations: Array<() => Promise<void>> = [];
  const sidecar = await aSidecar((_, response) => {
    if (mood === 'break off') return void response.destroy();
    if (mood === 'fail') return answerJson(response, 500, { error: 'made up' });
    if (mood === 'refuse') return answerJson(response, 422, { error: 'made up' });
    return answerJson(response, 200, { output: 'read', report: { reason: 'abort()', tasks: [] } });
  });
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void (line.includes(FILES_COMPARED) ? filesCompared++ : null) },
  );
  let app = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '4' }, { log });
  await aDevice(app);
  let stopListening = await listen();
  const storage = await aStorageOf(app);

  const world = {
    async upload(version: string) {
      const response = await upload(app, `dump ${uploads++}`, { version });
      expect(response.status).toBe(201);
      await response.arrayBuffer();
    },
    async uploadBuild(version: string) {
      news += 1;
      await uploadFirmware(app, { elf: aFirmwareElf({ version }) });
    },
    async deleteBuild(which: number) {
      const [id] = idsAt(await sql<{ id: number }>(app, 'SELECT "id" FROM "Firmware" ORDER BY "id"'), which);
      if (id !== undefined) await mutate('deleteFirmware', encodeGlobalId('Firmware', id));
    },
    async lose(kind: 'dump' | 'elf', which: number) {
      const keys = await storage.keys(kind);
      const key = keys[which % Math.max(1, keys.length)];
      if (key !== undefined) restorations.push(await storage.lose(kind, key).catch(() => async () => {}));
    },
    async cut(which: number) {
      const keys = await storage.keys('elf');
      const key = keys[which % Math.max(1, keys.length)];
      if (key !== undefined) await storage.cut('elf', key);
    },
    async restore(which: number) {
      const [restore] = restorations.splice(which % Math.max(1, restorations.length), 1);
      if (restore === undefined) return;
      news += 1;
      await restore();
    },
    async reparse(which: number) {
      const [id] = idsAt(await rows(), which);
      if (id === undefined) return;
      news += 1;
      await app
        .graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
          id: encodeGlobalId('Coredump', id),
        })
        .catch(expectCode('CONFLICT', 'NOT_FOUND'));
    },
    async reparseAll() {
      news += 1;
      await app.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');
    },
    async deleteDump(which: number) {
      const [id] = idsAt(await rows(), which);
      if (id !== undefined) await mutate('deleteCoredump', encodeGlobalId('Coredump', id));
    },
    async restart() {
      interruptions += 1;
      await stopListening();
      filesCompared = 0;
      app = await app.restart();
      stopListening = await listen();
      await eventually(async () => filesCompared > 0, 'rows and files were compared');
    },
    async dieWithDumps() {
      interruptions += 1;
      await sql(
        app,
        `UPDATE "Coredump" SET "leaseOwner" = 'dead', "leaseUntil" = NULL, "parseAttempts" = "parseAttempts" + 1
        WHERE "parseStatus" = 'PENDING' AND "parseAttempts" < ${MAX_ATTEMPTS}`,
      );
      await this.restart();
      // What the dead one had is free once its lease has run out.
      await sql(app, `UPDATE "Coredump" SET "leaseOwner" = NULL WHERE "leaseOwner" = 'dead'`);
    },
    async sidecarDoes(what: typeof mood) {
      mood = what;
    },
    async privacy(removeRawOnceRead: boolean) {
      await app.graphql(
        `mutation {
          setModelPrivacy(input: { modelCode: "thermostat", removeRawOnceRead: ${removeRawOnceRead} }) {
            deviceModel { id }
          }
        }`,
      );
    },
    async rest() {
      await eventually(
        async () => (await rows()).every(({ parseStatus }) => parseStatus !== 'PENDING'),
        'every parse ends',
      );
    },

    async expectBounded() {
      const asked = new Map<string, number>();
      for (const { core } of sidecar.requests) {
        const parse = /^coredock-(\d+-\d+)-/.exec(core)?.[1] ?? core;
        asked.set(parse, (asked.get(parse) ?? 0) + 1);
      }
      for (const times of asked.values()) expect(times).toBeLessThanOrEqual(MAX_ATTEMPTS + interruptions);
      for (const { id, parseGeneration, parseAttempts } of await rows()) {
        // Once for what is new, and once more where it came while the dump was being read.
        expect(parseGeneration).toBeLessThanOrEqual(2 * news);
        expect(parseAttempts).toBeLessThanOrEqual(MAX_ATTEMPTS);
        const events = told.get(encodeGlobalId('Coredump', id)) ?? 0;
        expect(events).toBeLessThanOrEqual(2 * (parseGeneration + 1));
      }
    },

    /** Without anything new nothing is done any more, whatever the state in which all this has ended. */
    async expectRest() {
      await world.restart();
      await world.rest();
      const before = { rows: await rows(), requests: sidecar.requests.length };
      for (let time = 0; time < 2; time++) {
        await world.restart();
        await world.rest();
      }
      expect({ rows: await rows(), requests: sidecar.requests.length }).toEqual(before);
    },

    async close() {
      await stopListening();
      await app.close();
    },
  };
  return world;

  async function rows(): Promise<Row[]> {
    const all = await sql<Row>(
      app,
      'SELECT "id", "parseStatus", "parseAttempts", "parseGeneration" FROM "Coredump" ORDER BY "id"',
    );
    return all.map((row) => ({ ...row }));
  }

  async function mutate(name: string, id: string): Promise<void> {
    await app
      .graphql(`mutation ($id: ID!) { ${name}(input: { id: $id }) { clientMutationId } }`, { id })
      .catch(expectCode('NOT_FOUND'));
  }

  /** @returns ends it */
  async function listen(): Promise<() => Promise<void>> {
    const client = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
    onTestFinished(() => client.dispose());
    const events = client.iterate<{ parseStatus: { id: string } }>({
      query: 'subscription { parseStatus { id } }',
    });
    const listening = (async () => {
      for await (const { data } of events) {
        const id = data?.parseStatus.id ?? '';
        told.set(id, (told.get(id) ?? 0) + 1);
      }
    })().catch(() => {});
    const { url } = app;
    await eventually(
      async () => /^coredump_event_subscribers 1$/m.test(await (await fetch(`${url}/metrics`)).text()),
      'somebody listens',
    );
    return async () => {
      client.dispose();
      await listening;
    };
  }
}

function expectCode(...codes: readonly string[]) {
  return (error: Error): void => {
    if (!codes.some((code) => error.message.includes(code))) throw error;
  };
}

function idsAt(rows: ReadonlyArray<{ id: number }>, which: number): number[] {
  return rows.length === 0 ? [] : [rows[which % rows.length]?.id ?? 0];
}

function pick<Item>(items: readonly [Item, ...Item[]], which: number): Item {
  return items[which % items.length] ?? items[0];
}
