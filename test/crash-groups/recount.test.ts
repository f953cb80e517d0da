import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARSE_STATUSES } from '../../src/coredumps/types.js';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aSteppedFleet, crashStep, takeStep } from '../support/crash-steps.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { keepDeleted } from '../support/recount-sql.js';

describe('the recount', () => {
  it.each([
    ['with what was deleted', true],
    ['without it', false],
  ])('finds nothing wrong after crashes, re-parses and deletions, %s', async (_, isExact) => {
    const endpoint = await aGraphQLEndpoint();
    if (isExact) await keepDeleted(endpoint.databaseUrl);
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const other = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await aCrash(endpoint, device, { place: 'a', at: new Date('2026-02-11T14:30:00Z') });
    const { dump } = await aCrash(endpoint, device, { place: 'b', version: '1.1.0' });
    await aCrash(endpoint, other, { place: 'b' });
    const gone = await aCrash(endpoint, other, { place: 'a' });

    await endpoint.coredumps.delete(gone.dump.id);
    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, { crash: { place: 'c' } });

    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('finds nothing wrong after each step of any sequence of uploads, parses, deletions, merges and regroupings', {
    timeout: 600_000,
  }, async () => {
    // A failure prints the seed, the path to the run and its steps; `{ seed, path }` beside `numRuns` runs it again.
    await fc.assert(
      fc.asyncProperty(fc.array(crashStep, { minLength: 20, maxLength: 32 }), async (steps) => {
        const endpoint = await aGraphQLEndpoint({ maxCoredumps: 4 });
        await keepDeleted(endpoint.databaseUrl);
        const fleet = await aSteppedFleet(endpoint);

        for (const [index, step] of steps.entries()) {
          await takeStep(endpoint, fleet, step);

          const differences = await recount(endpoint.databaseUrl);
          expect(differences, `after step ${index}, ${JSON.stringify(step)}`).toEqual([]);
        }
        for (const status of PARSE_STATUSES) {
          const listed = await endpoint.coredumps.list({ parseStatus: [status] }, { take: 200 });
          const rows = await endpoint.db.coredump.count({ where: { parseStatus: status } });
          expect(listed).toHaveLength(rows);
          expect(await endpoint.coredumps.count({ parseStatus: [status] })).toBe(rows);
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it('names each counter that is wrong', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await aCrash(endpoint, device);

    await endpoint.db.crashGroup.updateMany({ data: { count: 2, heat: { increment: 1 } } });
    await endpoint.db.crashTally.deleteMany({ where: { signatureId: 0, unit: 'DAY' } });
    await endpoint.db.crashGroup.create({
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

    const differences = (await recount(endpoint.databaseUrl)).join('\n');
    for (const what of ['a group and its signatures', 'fleet by DAY', 'ghost', 'the rate of a group']) {
      expect(differences).toContain(what);
    }
  });
});
