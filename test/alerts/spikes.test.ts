import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import type { CreateAlertRuleInput, UpdateAlertRuleInput } from '../generated/graphql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';

const CREATE = graphql(`
  mutation SpikeRule($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { rule { id } } }
`);
const UPDATE = graphql(`
  mutation ChangeSpikeRule($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { id } }
`);
const MERGE = graphql(
  `mutation MergeForSpike($into: ID!, $ids: [ID!]!) { mergeCrashGroups(into: $into, ids: $ids) { id } }`,
);
const SPLIT = graphql(`
  mutation SplitForSpike($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(id: $id, fingerprints: $fingerprints) { id }
  }
`);
const STATES = graphql(`
  mutation IgnoreForSpike($id: ID!) { ignoreCrashGroup(id: $id) { id } }
`);
const REOPEN = graphql(`mutation ReopenForSpike($id: ID!) { reopenCrashGroup(id: $id) { id } }`);

async function aRule(door: GraphQLDoor, input: Partial<CreateAlertRuleInput> = {}): Promise<string> {
  const rule = { name: 'spikes', url: 'http://127.0.0.1:9/', format: 'GENERIC' as const, spikeCount: 5 };
  const { createAlertRule } = await door.ask(CREATE, {
    input: { ...rule, onNew: false, onRegression: false, ...input },
  });
  return createAlertRule.rule.id;
}

/** In the middle of an hour: a test must not fail because it began at the end of one. */
const NOW = new Date('2026-02-11T14:30:00Z');
const aDoor = (options = {}) =>
  aGraphQLDoor({ clock: { ...createSystemClock(), now: () => NOW }, ...options });

const change = (door: GraphQLDoor, input: UpdateAlertRuleInput) => door.ask(UPDATE, { input });

/** In the outbox: of which group, and how many crashes it was told of. */
async function spikes(door: GraphQLDoor): Promise<Array<[groupId: string, crashes: number]>> {
  const rows = await door.db.alertDelivery.findMany({ where: { event: 'SPIKE' }, orderBy: { id: 'asc' } });
  return rows.map(({ payload }) => {
    const { group } = JSON.parse(payload) as { group: { id: string; crashesInHour: number } };
    return [group.id, group.crashesInHour];
  });
}

async function crashes(
  door: GraphQLDoor,
  place: string,
  count: number,
  device?: { id: number },
): Promise<string> {
  const hit = device ?? (await door.fleet.aDevice(await door.fleet.aModel()));
  let groupId = '';
  for (let index = 0; index < count; index++) groupId = (await aCrash(door, hit, { place, at: NOW })).groupId;
  return groupId;
}

describe('a spike', () => {
  it('that two groups are only together is told when they are merged', async () => {
    const door = await aDoor();
    await aRule(door);
    const into = await crashes(door, 'a', 3);
    const other = await crashes(door, 'b', 3);
    expect(await spikes(door)).toEqual([]);

    await door.ask(MERGE, { into, ids: [other] });
    await crashes(door, 'b', 1);

    expect(await spikes(door)).toEqual([[into, 6]]);
  });

  it('that was told of one of them is not told again of the merged one, nor of what is split off', async () => {
    const door = await aDoor();
    await aRule(door);
    const into = await crashes(door, 'a', 3);
    const other = await crashes(door, 'b', 5);

    await door.ask(MERGE, { into, ids: [other] });
    await crashes(door, 'a', 1);
    await door.ask(SPLIT, { id: into, fingerprints: ['v1:b'] });
    await crashes(door, 'b', 1);

    expect(await spikes(door)).toEqual([[other, 5]]);
  });

  it('of an ignored group is told when that is opened again, once', async () => {
    const door = await aDoor();
    await aRule(door);
    const id = await crashes(door, 'a', 1);
    await door.ask(STATES, { id });
    await crashes(door, 'a', 6);
    expect(await spikes(door)).toEqual([]);

    await door.ask(REOPEN, { id });
    await door.ask(REOPEN, { id });
    await crashes(door, 'a', 1);

    expect(await spikes(door)).toEqual([[id, 7]]);
  });

  it('is told to a rule that is made when it is there already, once', async () => {
    const door = await aDoor();
    const id = await crashes(door, 'a', 6);
    await crashes(door, 'b', 4);

    await aRule(door);
    await crashes(door, 'a', 1);

    expect(await spikes(door)).toEqual([[id, 6]]);
  });

  it('is told to a rule whose number or group is changed, and which is switched on', async () => {
    const door = await aDoor();
    const other = await crashes(door, 'other', 1);
    const rule = await aRule(door, { spikeCount: 10, crashGroupId: other });
    const id = await crashes(door, 'a', 6);

    await change(door, { id: rule, crashGroupId: id });
    expect(await spikes(door)).toEqual([]);
    await change(door, { id: rule, spikeCount: 5, enabled: false });
    expect(await spikes(door)).toEqual([]);
    await change(door, { id: rule, enabled: true });
    await change(door, { id: rule, name: 'another name' });
    await change(door, { id: rule, spikeCount: 4 });

    expect(await spikes(door)).toEqual([[id, 6]]);
  });

  it('is told again to a rule that was told by a lower number and reaches the higher one', async () => {
    const door = await aDoor();
    const rule = await aRule(door, { spikeCount: 2 });
    const id = await crashes(door, 'a', 3);
    expect(await spikes(door)).toEqual([[id, 2]]);

    await change(door, { id: rule, spikeCount: 5 });
    await crashes(door, 'a', 3);

    expect(await spikes(door)).toEqual([
      [id, 2],
      [id, 5],
    ]);
  });

  it('of a rule for one model counts that model’s crashes', async () => {
    const door = await aDoor();
    const lamp = await door.fleet.aDevice(await door.fleet.aModel({ code: 'lamp' }));
    await aRule(door, { modelCode: 'lamp', spikeCount: 3 });

    const id = await crashes(door, 'a', 5);
    await crashes(door, 'a', 2, lamp);
    expect(await spikes(door)).toEqual([]);
    await crashes(door, 'a', 2, lamp);

    expect(await spikes(door)).toEqual([[id, 3]]);
  });

  it('of an hour that is over is no news for a rule that is made later', async () => {
    const door = await aDoor();
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const at = new Date(NOW.getTime() - 61 * 60_000);
    for (let index = 0; index < 6; index++) await aCrash(door, device, { at });

    await aRule(door);

    expect(await spikes(door)).toEqual([]);
  });

  it('is told once, whichever of two servers and whatever else reaches it at the same time', async () => {
    const door = await aDoor();
    const isShared = !door.databaseUrl.startsWith('file:');
    const doors = isShared ? [door, await aDoor({ beside: door })] : [door];
    await aRule(door);
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const into = await crashes(door, 'a', 4, device);
    const other = await crashes(door, 'b', 4, device);

    await Promise.all([
      ...Array.from({ length: 6 }, (_, index) =>
        aCrash(doors[index % doors.length] ?? door, device, { place: 'a', at: NOW }),
      ),
      door.ask(MERGE, { into, ids: [other] }),
    ]);

    expect((await spikes(door)).map(([id]) => id)).toEqual([into]);
  });

  it('is told for each rule, and a rule that is deleted meanwhile fails no crash', async () => {
    const door = await aDoor();
    const rules = await Promise.all(Array.from({ length: 4 }, () => aRule(door)));
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    await crashes(door, 'a', 4, device);

    await Promise.all([
      ...Array.from({ length: 3 }, () => aCrash(door, device, { place: 'a', at: NOW })),
      ...rules.slice(1).map((id) => door.alerts.delete(rowIdOf(id))),
    ]);

    expect(await door.db.crashGroup.findMany()).toMatchObject([{ count: 7 }]);
    const left = await door.db.alertDelivery.findMany({ where: { event: 'SPIKE' } });
    expect(left.map(({ ruleId }) => encodeGlobalId('AlertRule', ruleId))).toEqual(rules.slice(0, 1));
  });
});

function rowIdOf(globalId: string): number {
  return Number(Buffer.from(globalId, 'base64').toString('utf8').split(':').at(1));
}
