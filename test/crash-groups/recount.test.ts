import { describe, expect, it } from 'vitest';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aGraphQLDoor } from '../support/graphql-server.js';
import { keepDeleted, recount } from '../support/recount.js';

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
