import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARSE_STATUSES } from '../../src/coredumps/types.js';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aSteppedFleet, crashStep, takeStep } from '../support/crash-steps.js';
import { aGraphQLDoor } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { keepDeleted } from '../support/recount-sql.js';

describe('the recount', () => {
  it.each([
    ['with what was deleted', true],
    ['without it', false],
  ])('finds nothing wrong after crashes, re-parses and deletions, %s', async (_, isExact) => {
    const door = await aGraphQLDoor();
    if (isExact) await keepDeleted(door.databaseUrl);
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const other = await door.fleet.aDevice(await door.fleet.aModel());
    await aCrash(door, device, { place: 'a', at: new Date('2026-02-11T14:30:00Z') });
    const { dump } = await aCrash(door, device, { place: 'b', version: '1.1.0' });
    await aCrash(door, other, { place: 'b' });
    const gone = await aCrash(door, other, { place: 'a' });

    await door.coredumps.delete(gone.dump.id);
    await door.state.reset({ id: dump.id });
    await parsed(door, dump, { crash: { place: 'c' } });

    expect(await recount(door.databaseUrl)).toEqual([]);
  });

  it('finds nothing wrong after each step of any sequence of uploads, parses, deletions, merges and regroupings', async () => {
    // A failure prints the seed, the path to the run and its steps; `{ seed, path }` beside `numRuns` runs it again.
    await fc.assert(
      fc.asyncProperty(fc.array(crashStep, { minLength: 12, maxLength: 24 }), async (steps) => {
        const door = await aGraphQLDoor({ maxCoredumps: 4 });
        await keepDeleted(door.databaseUrl);
        const fleet = await aSteppedFleet(door);

        for (const [index, step] of steps.entries()) {
          await takeStep(door, fleet, step);

          const differences = await recount(door.databaseUrl);
          expect(differences, `after step ${index}, ${JSON.stringify(step)}`).toEqual([]);
        }
        for (const status of PARSE_STATUSES) {
          const listed = await door.coredumps.list({ parseStatus: [status] }, { take: 200 });
          const rows = await door.db.coredump.count({ where: { parseStatus: status } });
          expect(listed).toHaveLength(rows);
          expect(await door.coredumps.count({ parseStatus: [status] })).toBe(rows);
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });

  it('names each counter that is wrong', async () => {
    const door = await aGraphQLDoor();
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    await aCrash(door, device);

    await door.db.crashGroup.updateMany({ data: { count: 2, heat: { increment: 1 } } });
    await door.db.crashTally.deleteMany({ where: { signatureId: 0, unit: 'DAY' } });
    await door.db.crashGroup.create({
      data: {
        title: 'a ghost',
        reason: '',
        reasonClass: '',
        state: 'OPEN',
        heat: 0,
        firstSeenAt: new Date(),
        lastSeenAt: new Date(),
      },
    });

    const differences = (await recount(door.databaseUrl)).join('\n');
    for (const what of ['a group and its signatures', 'fleet by DAY', 'ghost', 'the rate of a group']) {
      expect(differences).toContain(what);
    }
  });
});
