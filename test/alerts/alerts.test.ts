import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import type { CreateAlertRuleInput } from '../generated/graphql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aReceiver } from '../support/receiver.js';

const CREATE = graphql(`
  mutation CreateRule($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) { alertRule { id name target format model { code } } secret }
  }
`);
const UPDATE = graphql(`
  mutation UpdateRule($input: UpdateAlertRuleInput!) {
    updateAlertRule(input: $input) {
      alertRule {
        id name target format onNew onRegression spikeCount enabled model { code } crashGroup { id }
      }
    }
  }
`);
const RULES = graphql(`query RulesOfAlerts { alertRules { nodes { id enabled crashGroup { id } } } }`);
const MERGE = graphql(
  `mutation MergeForAlert($into: ID!, $ids: [ID!]!) { mergeCrashGroups(input: { intoId: $into, ids: $ids }) { crashGroup { id } } }`,
);
const AUDIT = graphql(`query AuditOfAlerts { auditEvents { nodes { action } } }`);
const TEST = graphql(
  `mutation TestRule($id: ID!) { testAlertRule(input: { id: $id }) { alertDelivery { event status } } }`,
);
const LOG = graphql(
  `query AlertLog { alertDeliveries { nodes { event status attempts httpStatus error deliveredAt } } }`,
);
const RESOLVE = graphql(
  `mutation ResolveForAlert($id: ID!) { resolveCrashGroup(input: { id: $id }) { crashGroup { id } } }`,
);
const IGNORE = graphql(
  `mutation IgnoreForAlert($id: ID!) { ignoreCrashGroup(input: { id: $id }) { crashGroup { id } } }`,
);

async function aRule(endpoint: GraphQLEndpoint, input: Partial<CreateAlertRuleInput>) {
  const rule = { name: 'team', format: 'GENERIC' as const, ...input };
  const { createAlertRule } = await endpoint.ask(CREATE, { input: rule });
  return { rule: createAlertRule.alertRule, secret: createAlertRule.secret };
}

/** All texts of a body, one after the other. */
function textsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? Object.values(value).map(textsOf).join('\n') : '';
}

const events = (received: Array<{ body: string }>) => received.map(({ body }) => JSON.parse(body).event);
const poll = (check: () => unknown) => expect.poll(() => check(), { timeout: 30_000, interval: 20 });

describe('alerts', () => {
  it('tell of a crash whose firmware is missing, and of its place when that is new', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver();
    await aRule(endpoint, { url });
    const dump = await aPendingDump(endpoint, await endpoint.fleet.aDevice(await endpoint.fleet.aModel()));

    await parsed(endpoint, dump, {
      status: 'ERROR',
      crash: { fingerprint: 'v2:addresses', hasReport: true },
    });
    await poll(() => events(received)).toEqual(['NEW']);
    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, { crash: { place: 'right' } });

    await poll(() => events(received)).toEqual(['NEW', 'NEW']);
  });

  it('tell of a new group and of its regression, once each, signed', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver();
    const { secret } = await aRule(endpoint, { url });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());

    const { groupId } = await aCrash(endpoint, device, { version: '1.0.0' });
    await aCrash(endpoint, device, { version: '1.0.0' });
    await endpoint.ask(RESOLVE, { id: groupId });
    await aCrash(endpoint, device, { version: '1.1.0', at: new Date(Date.now() + 1_000) });
    await aCrash(endpoint, device, { version: '1.1.0', at: new Date(Date.now() + 2_000) });

    await poll(() => events(received).sort()).toEqual(['NEW', 'REGRESSION']);
    const first = received.find(({ body }) => body.includes('NEW'));
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      group: {
        id: groupId,
        title: 'LoadProhibited in sensor_read (sensor_read.c)',
        firmwareVersion: '1.0.0',
      },
    });
    const [, seconds, mac] = /^t=(\d+),v1=(.*)$/.exec(String(first?.headers['coredock-signature'])) ?? [];
    expect(mac).toBe(createHmac('sha256', secret).update(`${seconds}.${first?.body}`).digest('hex'));
    expect(Math.abs(Date.now() / 1000 - Number(seconds))).toBeLessThan(120);
  });

  it('tell of a spike once an hour, when the crashes of a group reach the number', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver();
    await aRule(endpoint, { url, onNew: false, onRegression: false, spikeCount: 5 });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const at = new Date();

    await Promise.all(Array.from({ length: 4 }, () => aCrash(endpoint, device, { at })));
    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes).toEqual([]);
    await Promise.all(Array.from({ length: 4 }, () => aCrash(endpoint, device, { at })));

    await poll(() => events(received)).toEqual(['SPIKE']);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ group: { count: 5, crashesInHour: 5 } });
    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes).toHaveLength(1);
  });

  it('heed the rule’s model, ignored groups, and leave backlogs alone', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url } = await aReceiver();
    const [lamp, lock] = [
      await endpoint.fleet.aModel({ code: 'lamp' }),
      await endpoint.fleet.aModel({ code: 'lock' }),
    ];
    await aRule(endpoint, { url, modelCode: 'lamp', spikeCount: 2 });
    const device = await endpoint.fleet.aDevice(lamp);

    await aCrash(endpoint, await endpoint.fleet.aDevice(lock), { place: 'other' });
    await aCrash(endpoint, device, { place: 'old', at: new Date(Date.now() - 3 * 3_600_000) });
    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes).toEqual([]);

    const { groupId } = await aCrash(endpoint, device, { place: 'mine' });
    await endpoint.ask(IGNORE, { id: groupId });
    await aCrash(endpoint, device, { place: 'mine' });
    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes.map(({ event }) => event)).toEqual(['NEW']);
  });

  it('are tried again until the target takes them, and the log says how it went', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver([500, 429]);
    await aRule(endpoint, { url });

    await aCrash(endpoint, await endpoint.fleet.aDevice(await endpoint.fleet.aModel()));

    await poll(() => {
      endpoint.alertSender.wake();
      return received.length;
    }).toBe(3);
    expect(new Set(received.map(({ headers }) => headers['coredock-delivery'])).size).toBe(1);
    await poll(async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes).toMatchObject([
      { event: 'NEW', status: 'DELIVERED', attempts: 3, httpStatus: 200, error: null },
    ]);
  });

  it.each([
    ['SLACK', '/hook', 'LoadProhibited in [x]&lt;!here&gt;@\u200ball', []],
    ['DISCORD', '/hook', 'LoadProhibited in \\[x\\]\\<\\!here\\>\\@all', []],
    ['TEAMS', '/hook', 'LoadProhibited in [x]<!here>@all', []],
    ['NTFY', '/', 'LoadProhibited in [x]<!here>@\u200ball', ['Bearer tk_secret']],
  ] as const)(
    'speak as %s wants, and make nothing of what a crash says',
    async (format, path, words, tokens) => {
      const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
      const { url, received } = await aReceiver();
      const isNtfy = format === 'NTFY';
      const target = isNtfy ? `${new URL(url).origin}/my-topic` : url;
      await aRule(endpoint, { url: target, format, ...(isNtfy ? { accessToken: 'tk_secret' } : {}) });

      const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
      const { groupId, dump } = await aCrash(endpoint, device, { place: '[x]<!here>@all' });

      await poll(() => received.length).toBe(1);
      const [request] = received;
      expect(request?.path?.replace(/\?.*/, '')).toBe(path);
      expect([request?.headers.authorization].filter((token) => token !== undefined)).toEqual(tokens);
      expect(textsOf(JSON.parse(request?.body ?? ''))).toContain(words);
      const page = 'http://127.0.0.1:4000';
      expect(request?.body).toContain(`${page}/groups/${encodeURIComponent(groupId)}`);
      expect(request?.body).toContain(`${page}/dumps/${encodeURIComponent(dump.globalId)}`);
    },
  );

  it('carry to a program all that a viewer may know of the crash, and no memory of the device', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver();
    await aRule(endpoint, { url });
    const model = await endpoint.fleet.aModel({ code: 'lamp', name: 'Lamp' });
    await endpoint.db.modelLinks.create({
      data: {
        modelId: model.id,
        sourceUrl: 'https://github.com/acme/fw/blob/main/{path}#L{line}',
        sourcePrefix: '/builds/app/',
      },
    });
    const device = await endpoint.fleet.aDevice(model, { key: 'dev1', name: 'Kitchen' });

    const { groupId, dump } = await aCrash(endpoint, device, { version: '1.4.0' });

    await poll(() => received.length).toBe(1);
    const body = received[0]?.body ?? '';
    const page = 'http://127.0.0.1:4000';
    expect(JSON.parse(body)).toMatchObject({
      event: 'NEW',
      url: `${page}/groups/${encodeURIComponent(groupId)}`,
      group: { id: groupId, count: 1, deviceCount: 1, firmwareVersion: '1.4.0', state: 'OPEN' },
      crash: {
        coredumpId: dump.globalId,
        url: `${page}/dumps/${encodeURIComponent(dump.globalId)}`,
        model: { code: 'lamp', name: 'Lamp' },
        device: { key: 'dev1', serial: null, name: 'Kitchen' },
        version: '1.4.0',
        chip: 'esp32c3',
        task: 'main',
        cause: 'LoadProhibited at 0x00000010',
        frames: [
          {
            function: 'sensor_read',
            file: '/builds/app/main/sensor_read.c',
            line: 88,
            sourceUrl: 'https://github.com/acme/fw/blob/main/main/sensor_read.c#L88',
          },
        ],
      },
    });
    expect(body).not.toContain('hunter2');
  });

  it('wait as long as the target asks, and send nothing else there meanwhile', async () => {
    let now = Date.now();
    const clock = { ...createSystemClock(), now: () => new Date(now) };
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true, clock });
    const { url, received } = await aReceiver([429], { 'Retry-After': '120' });
    await aRule(endpoint, { url });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const at = clock.now();
    await aCrash(endpoint, device, { place: 'one', at });
    await poll(async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes).toMatchObject([
      { status: 'PENDING', attempts: 1, httpStatus: 429 },
    ]);
    await aCrash(endpoint, device, { place: 'other', at });

    now += 119_000;
    endpoint.alertSender.wake();
    await endpoint.alertSender.idle();
    expect(received).toHaveLength(1);
    now += 2_000;
    endpoint.alertSender.wake();

    await poll(() => received.length).toBe(3);
    await poll(async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes).toMatchObject([
      { status: 'DELIVERED', attempts: 1 },
      { status: 'DELIVERED', attempts: 2 },
    ]);
  });

  it('show of the address only where it leads, and can be tested', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver();
    const { rule } = await aRule(endpoint, { url });
    expect(rule.target).toBe(new URL(url).origin);

    expect((await endpoint.ask(TEST, { id: rule.id })).testAlertRule.alertDelivery).toEqual({
      event: 'TEST',
      status: 'PENDING',
    });

    await poll(() => events(received)).toEqual(['TEST']);
  });

  it('do not reach private addresses unless that is allowed', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { url, received } = await aReceiver();
    const { rule } = await aRule(endpoint, { url });

    await endpoint.ask(TEST, { id: rule.id });

    await poll(async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes).toMatchObject([
      { status: 'FAILED', error: expect.stringContaining('ALERTS_ALLOW_PRIVATE') },
    ]);
    expect(received).toEqual([]);
  });

  it.each<[Partial<CreateAlertRuleInput>, string]>([
    [{ url: 'ftp://example.org' }, 'http'],
    [{ url: 'https://example.org', spikeCount: 1 }, 'spike'],
    [{ url: 'https://example.org', onNew: false, onRegression: false }, 'never send'],
    [{ url: 'https://example.org', name: ' ' }, 'name'],
    [{ url: 'https://example.org', modelCode: 'nobody' }, 'device model'],
    [{ url: null }, 'http'],
    [{ url: 'https://ntfy.sh/', format: 'NTFY' }, 'topic'],
    [{ url: 'https://ntfy.sh/x', format: 'NTFY', accessToken: 'a b' }, 'access token'],
    [{ format: 'MAIL', recipients: ['a@example.org'] }, 'SMTP_URL'],
    [{ url: 'https://example.org', loopCrashes: 21 }, 'MAX_COREDUMPS'],
    [{ url: 'https://example.org', storagePercent: 101 }, 'percent'],
    [{ url: 'https://example.org', timeZone: 'Mars/Base' }, 'time zone'],
    [{ url: 'https://example.org', quietHours: { from: '22:00', to: '22:00' } }, 'different times'],
    [{ url: 'https://example.org', quietHours: { from: '25:00', to: '22:00' } }, 'time of day'],
    [{ url: 'https://example.org', digestAt: 'noon' }, 'time of day'],
  ])('refuse the rule %j', async (input, reason) => {
    const endpoint = await aGraphQLEndpoint();

    await expect(aRule(endpoint, input)).rejects.toThrow(reason);
  });

  it('are changed piece by piece: what is left out stays, also the secret; null takes a bound away', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const [old, now] = [await aReceiver(), await aReceiver()];
    await endpoint.fleet.aModel({ code: 'lamp' });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lock' }));
    const { groupId } = await aCrash(endpoint, device);
    const { rule, secret } = await aRule(endpoint, {
      url: old.url,
      modelCode: 'lamp',
      crashGroupId: groupId,
      spikeCount: 9,
    });
    const change = async (input: object) =>
      (await endpoint.ask(UPDATE, { input: { id: rule.id, ...input } })).updateAlertRule.alertRule;

    expect(await change({ url: now.url, format: 'GENERIC', onRegression: false })).toEqual({
      id: rule.id,
      name: 'team',
      target: new URL(now.url).origin,
      format: 'GENERIC',
      onNew: true,
      onRegression: false,
      spikeCount: 9,
      enabled: true,
      model: { code: 'lamp' },
      crashGroup: { id: groupId },
    });
    const unbound = { modelCode: null, crashGroupId: null, spikeCount: null };
    expect(await change(unbound)).toMatchObject({ spikeCount: null, model: null, crashGroup: null });
    await aCrash(endpoint, device, { place: 'another' });

    await poll(() => events(now.received)).toEqual(['NEW']);
    expect(old.received).toEqual([]);
    const { body, headers } = now.received[0] ?? { body: '', headers: {} };
    const [, seconds, mac] = /^t=(\d+),v1=(.*)$/.exec(String(headers['coredock-signature'])) ?? [];
    expect(mac).toBe(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
    const { auditEvents } = await endpoint.ask(AUDIT, {});
    expect(auditEvents.nodes.map(({ action }) => action)).toEqual([
      'updateAlertRule',
      'updateAlertRule',
      'createAlertRule',
    ]);
  });

  it('tell nothing while they are switched off, not even what was to be tried again', async () => {
    const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
    const { url, received } = await aReceiver(Array.from({ length: 1000 }, () => 500));
    const { rule } = await aRule(endpoint, { url });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await aCrash(endpoint, device, { place: 'before' });
    await poll(() => received.length).toBeGreaterThan(0);

    await endpoint.ask(UPDATE, { input: { id: rule.id, enabled: false } });
    await aCrash(endpoint, device, { place: 'meanwhile' });

    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes).toMatchObject([
      { event: 'NEW', status: 'FAILED', error: expect.any(String) },
    ]);
    await endpoint.ask(UPDATE, { input: { id: rule.id, enabled: true } });
    await aCrash(endpoint, device, { place: 'after' });
    expect((await endpoint.ask(LOG, {})).alertDeliveries.nodes).toHaveLength(2);
  });

  it('follow their group into the one that it is merged into', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const one = await aCrash(endpoint, device, { place: 'one' });
    const other = await aCrash(endpoint, device, { place: 'other' });
    await aRule(endpoint, { url: 'https://example.org', crashGroupId: one.groupId });

    await endpoint.ask(MERGE, { into: other.groupId, ids: [one.groupId] });

    expect((await endpoint.ask(RULES, {})).alertRules.nodes).toMatchObject([
      { crashGroup: { id: other.groupId } },
    ]);
  });

  it.each([
    [{ url: 'nowhere' }, 'http'],
    [{ onNew: false, onRegression: false }, 'never send'],
    [{ spikeCount: 1 }, 'spike'],
    [{ modelCode: 'nobody' }, 'device model'],
    [{ crashGroupId: 'Q3Jhc2hHcm91cDo5OTk=' }, 'crash group'],
    [{ id: 'QWxlcnRSdWxlOjk5OQ==' }, 'alert rule'],
  ])('refuse the change %j, and stay as they are', async (input, reason) => {
    const endpoint = await aGraphQLEndpoint();
    const { rule } = await aRule(endpoint, { url: 'https://example.org' });

    const change = endpoint.ask(UPDATE, { input: { id: rule.id, enabled: false, ...input } });

    await expect(change).rejects.toThrow(reason);
    expect((await endpoint.ask(RULES, {})).alertRules.nodes).toMatchObject([{ id: rule.id, enabled: true }]);
  });
});
