import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import type { AlertDeliveryFilter, AlertRuleFilter, CreateAlertRuleInput } from '../generated/graphql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const CREATE = graphql(`
  mutation CreateListedRule($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) { alertRule { id onNew onRegression enabled createdAt updatedAt } }
  }
`);
const UPDATE = graphql(`
  mutation UpdateListedRule($input: UpdateAlertRuleInput!) {
    updateAlertRule(input: $input) { alertRule { createdAt updatedAt } }
  }
`);
const RULES = graphql(`
  query ListedRules($filter: AlertRuleFilter, $orderBy: AlertRuleOrder, $first: Int, $after: String) {
    alertRules(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      totalCount nodes { name } pageInfo { hasNextPage endCursor }
    }
  }
`);
const RULE = graphql(`query ListedRule($id: ID!) { alertRule(id: $id) { name } }`);
const DELIVERIES = graphql(`
  query ListedDeliveries($filter: AlertDeliveryFilter, $first: Int, $after: String) {
    alertDeliveries(filter: $filter, first: $first, after: $after) {
      totalCount nodes { id status event rule { name } } pageInfo { hasNextPage endCursor }
    }
  }
`);
const OF_RULES = graphql(`
  query DeliveriesOfRules {
    alertRules { nodes { name deliveries(first: 2) { totalCount nodes { id rule { name } } } } }
  }
`);

describe('alert rules', () => {
  it.each([
    [{}, ['d', 'c', 'b', 'A']],
    [{ enabled: true }, ['d', 'b', 'A']],
    [{ enabled: false }, ['c']],
    [{ format: ['SLACK', 'DISCORD'] }, ['c', 'b']],
    [{ format: [] }, []],
    [{ modelCode: ['lamp'] }, ['d', 'b']],
    [{ enabled: null, format: null, modelCode: null, crashGroupId: null }, ['d', 'c', 'b', 'A']],
  ] satisfies Array<[AlertRuleFilter, string[]]>)('are found by %j', async (filter, names) => {
    const { endpoint } = await fourRules();

    const { alertRules } = await endpoint.ask(RULES, { filter });

    expect(alertRules.nodes.map(({ name }) => name)).toEqual(names);
    expect(alertRules.totalCount).toBe(names.length);
  });

  it('are found by their group, and one by its id', async () => {
    const { endpoint, groupId, ids } = await fourRules();

    const { alertRules } = await endpoint.ask(RULES, { filter: { crashGroupId: [groupId] } });

    expect(alertRules.nodes).toEqual([{ name: 'A' }]);
    expect(await endpoint.ask(RULE, { id: ids[1] ?? '' })).toEqual({ alertRule: { name: 'b' } });
    expect(await endpoint.ask(RULE, { id: encodeGlobalId('AlertRule', 99) })).toEqual({ alertRule: null });
    expect(await endpoint.ask(RULE, { id: groupId })).toEqual({ alertRule: null });
  });

  it('are sorted by name page by page, and by their last change', async () => {
    const { endpoint, ids } = await fourRules();
    await endpoint.ask(UPDATE, { input: { id: ids[0] ?? '', name: 'A' } });
    const byName = { field: 'NAME' as const, direction: 'ASC' as const };

    const one = await endpoint.ask(RULES, { orderBy: byName, first: 3 });
    const after = one.alertRules.pageInfo.endCursor;
    const two = await endpoint.ask(RULES, { orderBy: byName, first: 3, after });
    const changed = await endpoint.ask(RULES, { orderBy: { field: 'UPDATED_AT' }, first: 1 });

    expect([...one.alertRules.nodes, ...two.alertRules.nodes].map(({ name }) => name)).toEqual([
      'A',
      'b',
      'c',
      'd',
    ]);
    expect(two.alertRules.pageInfo.hasNextPage).toBe(false);
    expect(changed.alertRules.nodes).toEqual([{ name: 'A' }]);
  });

  it('say when they were last changed', async () => {
    let time = Date.UTC(2026, 1, 11);
    const endpoint = await aGraphQLEndpoint({ clock: { ...createSystemClock(), now: () => new Date(time) } });
    const { createAlertRule } = await endpoint.ask(CREATE, { input: input('a') });
    const { id, createdAt, updatedAt } = createAlertRule.alertRule;
    time += 60_000;

    const { updateAlertRule } = await endpoint.ask(UPDATE, { input: { id, enabled: false } });

    expect(updatedAt).toBe(createdAt);
    expect(updateAlertRule.alertRule).toEqual({ createdAt, updatedAt: new Date(time).toISOString() });
  });

  it('are at most a hundred: one more is refused with what to do, until one is deleted', async () => {
    const endpoint = await aGraphQLEndpoint();
    const create = (name: string) => endpoint.ask(CREATE, { input: input(name) });
    const { createAlertRule } = await create('0');
    for (let number = 1; number < 100; number++) await create(String(number));

    await expect(create('100')).rejects.toThrow('There are at most 100 rules. Delete one');

    await endpoint.send(
      'mutation ($id: ID!) { deleteAlertRule(input: { id: $id }) { deletedAlertRuleId } }',
      {
        id: createAlertRule.alertRule.id,
      },
    );
    await create('100');
  });

  it('take a default only for what is left out: null is refused, and never false', async () => {
    const endpoint = await aGraphQLEndpoint();
    const create = 'mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { secret } }';

    const { createAlertRule } = await endpoint.ask(CREATE, { input: input('a') });

    expect(createAlertRule.alertRule).toMatchObject({ onNew: true, onRegression: true, enabled: true });
    for (const field of ['onNew', 'onRegression', 'enabled']) {
      const { errors } = await endpoint.send(create, { input: { ...input('b'), [field]: null } });
      expect(errors[0]?.message, field).toContain('not to be null');
    }
  });
});

describe('deliveries of alerts', () => {
  it.each([
    [{ status: ['PENDING'] }, ['4', '1']],
    [{ status: ['FAILED', 'DELIVERED'] }, ['3', '2']],
    [{ event: ['NEW'] }, ['3', '1']],
    [{ createdAfter: '2026-02-12T00:00:00Z', createdBefore: '2026-02-14T00:00:00Z' }, ['3', '2']],
    [{ ruleId: [encodeGlobalId('AlertRule', 2)] }, ['4', '2']],
    [{ ruleId: [encodeGlobalId('AlertRule', 2)], event: ['SPIKE'] }, ['2']],
    [{}, ['4', '3', '2', '1']],
  ] satisfies Array<[AlertDeliveryFilter, string[]]>)('are found by %j', async (filter, numbers) => {
    const endpoint = await fourDeliveries();

    const { alertDeliveries } = await endpoint.ask(DELIVERIES, { filter });

    const ids = numbers.map((number) => encodeGlobalId('AlertDelivery', Number(number)));
    expect(alertDeliveries.nodes.map(({ id }) => id)).toEqual(ids);
    expect(alertDeliveries.totalCount).toBe(ids.length);
  });

  it('are read page by page, each with its rule', async () => {
    const endpoint = await fourDeliveries();

    const one = await endpoint.ask(DELIVERIES, { first: 3 });
    const two = await endpoint.ask(DELIVERIES, { first: 3, after: one.alertDeliveries.pageInfo.endCursor });

    const names = [...one.alertDeliveries.nodes, ...two.alertDeliveries.nodes].map(({ rule }) => rule?.name);
    expect(names).toEqual(['b', 'a', 'b', 'a']);
    expect(two.alertDeliveries.pageInfo.hasNextPage).toBe(false);
  });

  it('of all rules are three statements', async () => {
    const endpoint = await fourDeliveries();
    await endpoint.ask(CREATE, { input: input('c') });

    const statements = await endpoint.statementsOf(() => endpoint.ask(OF_RULES, {}));

    expect((await endpoint.ask(OF_RULES, {})).alertRules.nodes).toMatchObject([
      { name: 'c', deliveries: { totalCount: 0, nodes: [] } },
      { name: 'b', deliveries: { totalCount: 2, nodes: [{ rule: { name: 'b' } }, {}] } },
      { name: 'a', deliveries: { totalCount: 2 } },
    ]);
    expect(statements).toHaveLength(3);
  });
});

function input(name: string): CreateAlertRuleInput {
  return { name, url: 'https://example.com/hook', format: 'GENERIC' };
}

/** "A", which is for a group, is the oldest. @returns the rules' ids, the oldest first */
async function fourRules() {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lamp' }));
  const groupId = String((await aCrash(endpoint, device)).groupId);
  const ids: string[] = [];
  for (const rule of [
    { ...input('A'), crashGroupId: groupId },
    { ...input('b'), format: 'SLACK' as const, modelCode: 'lamp' },
    { ...input('c'), format: 'DISCORD' as const, enabled: false },
    { ...input('d'), modelCode: 'lamp' },
  ]) {
    ids.push((await endpoint.ask(CREATE, { input: rule })).createAlertRule.alertRule.id);
  }
  return { endpoint, groupId, ids };
}

/** By turns of the rules "a" and "b"; each on the day after the one before. */
async function fourDeliveries(): Promise<GraphQLEndpoint> {
  const endpoint = await aGraphQLEndpoint();
  for (const name of ['a', 'b']) await endpoint.ask(CREATE, { input: input(name) });
  const rows = [
    ['NEW', 'PENDING'],
    ['SPIKE', 'DELIVERED'],
    ['NEW', 'FAILED'],
    ['TEST', 'PENDING'],
  ] as const;
  for (const [index, [event, status]] of rows.entries()) {
    const createdAt = new Date(Date.UTC(2026, 1, 11 + index, 12));
    // Not due: it is never sent here.
    const dueAt = new Date(Date.now() + 3_600_000);
    await endpoint.db.alertDelivery.create({
      data: { ruleId: 1 + (index % 2), event, status, payload: '{}', attempts: 1, createdAt, dueAt },
    });
  }
  return endpoint;
}
