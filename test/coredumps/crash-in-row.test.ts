import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLostDumps } from '../../src/coredumps/lost-dumps.js';
import { createRawRemoval } from '../../src/coredumps/remove-raw.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { createLogger } from '../../src/platform/logger.js';
import { parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

const ROW = `query ($id: ID!) { coredump(id: $id) {
  parseStatus crashKind crashedTask reason uploadedAt updatedAt parsedAt
} }`;

const NO_CRASH = { crashKind: null, crashedTask: null, reason: null };

describe('the row of a dump', () => {
  it('says what its report says, from the end of the parse until it is parsed again', async () => {
    const world = await aDump();
    const arrived = await world.row();

    world.wait(1_000);
    await parsed(world.endpoint, world.dump, { crash: { reason: 'abort() was called at PC 0x42009351' } });
    const read = await world.row();
    world.wait(1_000);
    await world.send(`mutation { reparseCoredump(input: { id: "${world.id}" }) { coredump { id } } }`);
    const again = await world.row();

    expect(arrived).toMatchObject({ ...NO_CRASH, updatedAt: arrived.uploadedAt });
    expect(read).toMatchObject({
      ...{ crashKind: 'ABORT', crashedTask: 'main', reason: 'abort() was called at PC 0x42009351' },
      ...{ parsedAt: world.later(1_000), updatedAt: world.later(1_000) },
    });
    expect(again).toMatchObject({ ...NO_CRASH, parseStatus: 'PENDING', updatedAt: world.later(2_000) });
  });

  it('has no crash where the parse ended without a report', async () => {
    const world = await aDump();

    await parsed(world.endpoint, world.dump, { status: 'ERROR' });

    expect(await world.row()).toMatchObject({ ...NO_CRASH, parseStatus: 'ERROR' });
  });

  it('gets its crash back where a later parse could not read the file', async () => {
    const world = await aDump();
    await parsed(world.endpoint, world.dump, { crash: { reason: 'abort()' } });
    const before = await world.row();
    await world.send(`mutation { reparseCoredump(input: { id: "${world.id}" }) { coredump { id } } }`);

    await world.endWithoutFile();

    expect(await world.row()).toEqual({ ...before, updatedAt: expect.any(String) });
  });

  it('has texts that are cut, and without what the database cannot hold', async () => {
    const world = await aDump();

    await parsed(world.endpoint, world.dump, {
      crash: { reason: `a\0b${'é'.repeat(600)}` },
    });

    const { reason } = await world.row();
    expect(reason).toHaveLength(500);
    expect(reason).toMatch(/^a\uFFFDbé+$/);
  });

  it('changes with its raw bytes: lost, present again, removed', async () => {
    const world = await aDump();
    await parsed(world.endpoint, world.dump);
    const changes: unknown[] = [];
    for (const change of [world.loseFile, world.restoreFile, world.removeRaw]) {
      world.wait(1_000);
      await change();
      changes.push((await world.row()).updatedAt);
    }

    expect(changes).toEqual([world.later(1_000), world.later(2_000), world.later(3_000)]);
  });
});

/** Time of arrival of the dumps of a fleet. */
const ARRIVAL = Date.parse('2026-02-11T14:30:00.000Z');

interface Row {
  uploadedAt: string;
  updatedAt: string;
  reason: string | null;
}

/** A dump with its file, on a server whose clock stands still unless the test says otherwise. */
async function aDump() {
  let nowMs = ARRIVAL;
  const clock = { ...createSystemClock(), now: () => new Date(nowMs) };
  const endpoint = await aGraphQLEndpoint({ clock });
  const { db, fleet, state } = endpoint;
  const device = await fleet.aDevice(await fleet.aModel());
  const dump = await fleet.aDump(device);
  await endpoint.putFile(device, dump);
  const log = createLogger({ logLevel: 'silent' });
  const blobs = createFileBlobs({ root: join(endpoint.dir, 'coredumps') });
  const lost = createLostDumps({ db, blobs, clock, log });
  const removeRaw = createRawRemoval({ db, blobs, clock, log });

  return {
    endpoint,
    dump,
    id: dump.globalId,
    send: endpoint.send,
    wait(ms: number): void {
      nowMs += ms;
    },
    later: (ms: number) => new Date(ARRIVAL + ms).toISOString(),
    async row(): Promise<Row> {
      const { data } = await endpoint.send(ROW, { id: dump.globalId });
      return data?.coredump as Row;
    },
    async loseFile(): Promise<void> {
      await rm(join(endpoint.dir, 'coredumps', device.key, dump.filename));
      await lost.check('all');
    },
    async restoreFile(): Promise<void> {
      await endpoint.putFile(device, dump);
      await lost.check('lost');
    },
    removeRaw: () => removeRaw({ ...dump, device }, 'PRIVACY'),
    async endWithoutFile(): Promise<void> {
      const [task] = await state.tasksOf([dump.id]);
      if (task === undefined) throw new Error('the dump does not wait for a parse');
      const hold = state.hold(task);
      await state.begin(hold, 3);
      await state.finish(hold, {
        ...{
          status: 'ERROR',
          errorKind: 'lost_coredump',
          firmwareId: null,
          appElfSha256: null,
          dumpChip: null,
          kind: null,
        },
        text: { output: 'missing', report: null },
      });
    },
  };
}
