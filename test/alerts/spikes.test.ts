import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import type { CreateAlertRuleInput, UpdateAlertRuleInput } from '../generated/graphql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const CREATE = graphql(`
  mutation SpikeRule($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }
`);
const UPDATE = graphql(`
  mutation ChangeSpikeRule($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { alertRule { id } } }
`);
const MERGE = graphql(
  `mutation MergeForSpike($into: ID!, $ids: [ID!]!) { mergeCrashGroups(input: { intoId: $into, ids: $ids }) { crashGroup { id } } }`,
);
const SPLIT = graphql(`
  mutation SplitForSpike($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) { crashGroup { id } }
  }
`);
const STATES = graphql(`
  mutation IgnoreForSpike($id: ID!) { ignoreCrashGroup(input: { id: $id }) { crashGroup { id } } }
`);
const REOPEN = graphql(
  `mutation ReopenForSpike($id: ID!) { reopenCrashGroup(input: { id: $id }) { crashGroup { id } } }`,
);

async function aRule(endpoint: GraphQLEndpoint, input: Partial<CreateAlertRuleInput> = {}): Promise<string> {
  const rule = { name: 'spikes', url: 'http://127.0.0.1:9/', format: 'GENERIC' as const, spikeCount: 5 };
  const { createAlertRule } = await endpoint.ask(CREATE, {
    input: { ...rule, onNew: false, onRegression: false, ...input },
  });
  return createAlertRule.alertRule.id;
}

/** In the middle of an hour: a test must not fail because it began at the end of one. */
const NOW = new Date('2026-02-11T14:30:00Z');
const anEndpoint = (options = {}) =>
  aGraphQLEndpoint({ clock: { ...createSystemClock(), now: () => NOW }, ...options });

const change = (endpoint: GraphQLEndpoint, input: UpdateAlertRuleInput) => endpoint.ask(UPDATE, { input });

/** In the outbox: of which group, and how many crashes it was told of. */
async function spikes(endpoint: GraphQLEndpoint): Promise<Array<[groupId: string, crashes: number]>> {
  const rows = await endpoint.db.alertDelivery.findMany({
    where: { event: 'SPIKE' },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ payload }) => {
    const { group } = JSON.parse(payload) as { group: { id: string; crashesInHour: number } };
    return [group.id, group.crashesInHour];
  });
}

async function crashes(
  endpoint: GraphQLEndpoint,
  place: string,
  count: number,
  device?: { id: number },
): Promise<string> {
  const hit = device ?? (await endpoint.fleet.aDevice(await endpoint.fleet.aModel()));
  let groupId = '';
  for (let index = 0; index < count; index++)
    groupId = (await aCrash(endpoint, hit, { place, at: NOW })).groupId;
  return groupId;
}

describe('a spike', () => {
  it('that two groups are only together is told when they are merged', async () => {
    const endpoint = await anEndpoint();
    await aRule(endpoint);
    const into = await crashes(endpoint, 'a', 3);
    const other = await crashes(endpoint, 'b', 3);
    expect(await spikes(endpoint)).toEqual([]);

    await endpoint.ask(MERGE, { into, ids: [other] });
    await crashes(endpoint, 'b', 1);

    expect(await spikes(endpoint)).toEqual([[into, 6]]);
  });

  it('that was told of one of them is not told again of the merged one, nor of what is split off', async () => {
    const endpoint = await anEndpoint();
    await aRule(endpoint);
    const into = await crashes(endpoint, 'a', 3);
    const other = await crashes(endpoint, 'b', 5);

    await endpoint.ask(MERGE, { into, ids: [other] });
    await crashes(endpoint, 'a', 1);
    await endpoint.ask(SPLIT, { id: into, fingerprints: ['v1:b'] });
    await crashes(endpoint, 'b', 1);

    expect(await spikes(endpoint)).toEqual([[other, 5]]);
  });

  it('of an ignored group is told when that is opened again, once', async () => {
    const endpoint = await anEndpoint();
    await aRule(endpoint);
    const id = await crashes(endpoint, 'a', 1);
    await endpoint.ask(STATES, { id });
    await crashes(endpoint, 'a', 6);
    expect(await spikes(endpoint)).toEqual([]);

    await endpoint.ask(REOPEN, { id });
    await endpoint.ask(REOPEN, { id });
    await crashes(endpoint, 'a', 1);

    expect(await spikes(endpoint)).toEqual([[id, 7]]);
  });

  it('is told to a rule that is made when it is there already, once', async () => {
    const endpoint = await anEndpoint();
    const id = await crashes(endpoint, 'a', 6);
    await crashes(endpoint, 'b', 4);

    await aRule(endpoint);
    await crashes(endpoint, 'a', 1);

    expect(await spikes(endpoint)).toEqual([[id, 6]]);
  });

  it('is told to a rule whose number or group is changed, and which is switched on', async () => {
    const endpoint = await anEndpoint();
    const other = await crashes(endpoint, 'other', 1);
    const rule = await aRule(endpoint, { spikeCount: 10, crashGroupId: other });
    const id = await crashes(endpoint, 'a', 6);

    await change(endpoint, { id: rule, crashGroupId: id });
    expect(await spikes(endpoint)).toEqual([]);
    await change(endpoint, { id: rule, spikeCount: 5, enabled: false });
    expect(await spikes(endpoint)).toEqual([]);
    await change(endpoint, { id: rule, enabled: true });
    await change(endpoint, { id: rule, name: 'another name' });
    await change(endpoint, { id: rule, spikeCount: 4 });

    expect(await spikes(endpoint)).toEqual([[id, 6]]);
  });

  it('is told again to a rule that was told by a lower number and reaches the higher one', async () => {
    const endpoint = await anEndpoint();
    const rule = await aRule(endpoint, { spikeCount: 2 });
    const id = await crashes(endpoint, 'a', 3);
    expect(await spikes(endpoint)).toEqual([[id, 2]]);

    await change(endpoint, { id: rule, spikeCount: 5 });
    await crashes(endpoint, 'a', 3);

    expect(await spikes(endpoint)).toEqual([
      [id, 2],
      [id, 5],
    ]);
  });

  it('of a rule for one model counts that model’s crashes', async () => {
    const endpoint = await anEndpoint();
    const lamp = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lamp' }));
    await aRule(endpoint, { modelCode: 'lamp', spikeCount: 3 });

    const id = await crashes(endpoint, 'a', 5);
    await crashes(endpoint, 'a', 2, lamp);
    expect(await spikes(endpoint)).toEqual([]);
    await crashes(endpoint, 'a', 2, lamp);

    expect(await spikes(endpoint)).toEqual([[id, 3]]);
  });

  it('of an hour that is over is no news for a rule that is made later', async () => {
    const endpoint = await anEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const at = new Date(NOW.getTime() - 61 * 60_000);
    for (let index = 0; index < 6; index++) await aCrash(endpoint, device, { at });

    await aRule(endpoint);

    expect(await spikes(endpoint)).toEqual([]);
  });

  it('is told once, whichever of two servers and whatever else reaches it at the same time', async () => {
    const endpoint = await anEndpoint();
    const isShared = !endpoint.databaseUrl.startsWith('file:');
    const endpoints = isShared ? [endpoint, await anEndpoint({ beside: endpoint })] : [endpoint];
    await aRule(endpoint);
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const into = await crashes(endpoint, 'a', 4, device);
    const other = await crashes(endpoint, 'b', 4, device);

    await Promise.all([
      ...Array.from({ length: 6 }, (_, index) =>
        aCrash(endpoints[index % endpoints.length] ?? endpoint, device, { place: 'a', at: NOW }),
      ),
      endpoint.ask(MERGE, { into, ids: [other] }),
    ]);

    expect((await spikes(endpoint)).map(([id]) => id)).toEqual([into]);
  });

  it('is told for each rule, and a rule that is deleted meanwhile fails no crash', async () => {
    const endpoint = await anEndpoint();
    const rules = await Promise.all(Array.from({ length: 4 }, () => aRule(endpoint)));
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await crashes(endpoint, 'a', 4, device);

    await Promise.all([
      ...Array.from({ length: 3 }, () => aCrash(endpoint, device, { place: 'a', at: NOW })),
      ...rules.slice(1).map((id) => endpoint.alerts.delete(rowIdOf(id))),
    ]);

    expect(await endpoint.db.crashGroup.findMany()).toMatchObject([{ count: 7 }]);
    const left = await endpoint.db.alertDelivery.findMany({ where: { event: 'SPIKE' } });
    expect(left.map(({ ruleId }) => encodeGlobalId('AlertRule', ruleId))).toEqual(rules.slice(0, 1));
  });
});

function rowIdOf(globalId: string): number {
  return Number(Buffer.from(globalId, 'base64').toString('utf8').split(':').at(1));
}
