import { readdirSync, readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { anOidcProvider } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

interface Event {
  action: string;
  actor: string;
  role: string;
  via: string;
  target: string | null;
  targetId: string | null;
  address: string | null;
  requestId: string | null;
}

const FIELDS = 'action actor role via target targetType targetId address requestId';

describe('the audit', () => {
  it('tells who did what to what, from where, under which request id; in the log and in metrics as well', async () => {
    const issuer = await anOidcProvider([{ id: 'ci', roles: ['admin'] }]);
    const lines: Array<{ audit?: Event }> = [];
    const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
    const app = await aServer(
      { ...STATIC_TOKENS, ...issuer.environment, TRUSTED_PROXIES: 'loopback' },
      { token: await issuer.token('ci'), log },
    );
    const device = await aDevice(app);
    const dump = await stored(app, 'dump', { headers: bearer(device.token) });
    const headers = { ...bearer(VIEWER), 'X-Forwarded-For': '203.0.113.7' };
    const url = `${app.url}/api/coredumps/${encodeURIComponent(dump.coredumpId)}/download`;

    const download = await fetch(url, { headers });
    await download.arrayBuffer();
    await app.graphql('mutation ($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }', {
      id: device.id,
    });
    await app.graphql('mutation ($id: ID!) { revokeDeviceToken(input: { id: $id }) { device { id } } }', {
      id: device.id,
    });
    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: dump.coredumpId,
    });
    await app.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device.id,
    });

    const events = await eventsOf(app);
    expect(events.map(({ action, role, target }) => [action, role, target])).toEqual([
      ['deleteDevice', 'ADMIN', 'dev1'],
      ['deleteCoredumps', 'ADMIN', '0 of dev1'],
      ['deleteCoredump', 'ADMIN', `dev1/${dump.filename}`],
      ['revokeDeviceToken', 'ADMIN', 'dev1'],
      ['rotateDeviceToken', 'ADMIN', 'dev1'],
      ['downloadCoredump', 'VIEWER', dump.filename],
      ['createDevice', 'ADMIN', 'dev1'],
      ['createDeviceModel', 'ADMIN', 'thermostat'],
    ]);
    expect(events[0]).toMatchObject({
      actor: 'ci',
      via: 'ISSUER',
      targetId: device.id,
      address: '127.0.0.1',
    });
    expect(events[5]).toMatchObject({
      actor: expect.stringMatching(/^token [0-9a-f]{8}$/),
      via: 'TOKEN',
      targetId: dump.coredumpId,
      address: '203.0.113.7',
      requestId: download.headers.get('x-request-id'),
    });
    expect(lines.flatMap(({ audit }) => audit?.action ?? []).reverse()).toEqual(
      events.map(({ action }) => action),
    );
    const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(VIEWER) })).text();
    expect(metrics).toContain('coredock_audit_events_total{action="downloadCoredump"} 1');
  });

  it('is for admins, a page at a time, by action, actor, target and time', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    const count = async (filter: object) =>
      (
        await app.graphql<{ auditEvents: { totalCount: number; nodes: Event[] } }>(
          'query ($filter: AuditEventFilter) { auditEvents(filter: $filter) { totalCount } }',
          { filter },
        )
      ).auditEvents.totalCount;

    expect(await count({})).toBe(3);
    expect(await count({ action: ['createDevice'] })).toBe(2);
    expect(await count({ targetId: device.id })).toBe(1);
    expect(await count({ actor: ['nobody'] })).toBe(0);
    expect(await count({ role: ['ADMIN'] })).toBe(3);
    expect(await count({ role: ['VIEWER', 'SERVER'] })).toBe(0);
    expect(await count({ targetType: ['DEVICE_MODEL'] })).toBe(1);
    expect(await count({ targetType: ['DEVICE'], targetId: device.id })).toBe(1);
    expect(await count({ createdAfter: '2100-01-01T00:00:00Z' })).toBe(0);
    expect(await count({ createdBefore: '2100-01-01T00:00:00Z' })).toBe(3);
    const asViewer = await fetch(`${app.url}/graphql?query={auditEvents{totalCount}}`, {
      headers: bearer(VIEWER),
    });
    expect(await asViewer.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('has events that are nodes, for admins only', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: Array<{ id: string }> } }>(
      '{ auditEvents(first: 1) { nodes { id } } }',
    );
    const id = auditEvents.nodes[0]?.id ?? '';
    const query = `{ node(id: "${id}") { id ... on AuditEvent { action role via targetType createdAt } } }`;

    expect(await app.graphql(query)).toEqual({
      node: {
        ...{ id, action: 'createDevice', role: 'ADMIN', via: 'TOKEN', targetType: 'DEVICE' },
        createdAt: expect.any(String),
      },
    });
    const asViewer = await fetch(`${app.url}/graphql?${new URLSearchParams({ query })}`, {
      headers: bearer(VIEWER),
    });
    expect(await asViewer.json()).toMatchObject({
      data: { node: null },
      errors: [{ path: ['node'], extensions: { code: 'FORBIDDEN' } }],
    });
  });

  it('shows what a newer server has stored as what the description says', async () => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.devices.createModel({ code: 'thermostat', name: 'Thermostat' });
    await endpoint.db.$executeRaw`
      UPDATE "AuditEvent" SET "role" = 'robot', "via" = 'mind', "targetType" = 'Moon'`;

    const { data } = await endpoint.send('{ auditEvents { nodes { role via targetType } } }');
    expect(data).toEqual({ auditEvents: { nodes: [{ role: 'VIEWER', via: 'OPEN', targetType: null }] } });
  });

  it('names alert rules as well, by their id', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { createAlertRule } = await app.graphql<{ createAlertRule: { alertRule: { id: string } } }>(
      `mutation {
        createAlertRule(input: { name: "team", url: "https://example.org", format: SLACK }) { alertRule { id } }
      }`,
    );
    const { id } = createAlertRule.alertRule;
    await app.graphql(
      'mutation ($id: ID!) { updateAlertRule(input: { id: $id, name: "we" }) { alertRule { id } } }',
      {
        id,
      },
    );
    await app.graphql('mutation ($id: ID!) { deleteAlertRule(input: { id: $id }) { deletedAlertRuleId } }', {
      id,
    });

    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      'query ($id: ID!) { auditEvents(filter: { targetId: $id }) { nodes { action targetType targetId } } }',
      { id },
    );
    expect(auditEvents.nodes).toEqual([
      { action: 'deleteAlertRule', targetType: 'ALERT_RULE', targetId: id },
      { action: 'updateAlertRule', targetType: 'ALERT_RULE', targetId: id },
      { action: 'createAlertRule', targetType: 'ALERT_RULE', targetId: id },
    ]);
  });

  it('names the build of an upload also when it was there already', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);
    const { id } = await uploadFirmware(app, { headers: bearer(ADMIN) });

    await uploadFirmware(app, { headers: bearer(ADMIN) });

    expect(await eventsOf(app)).toMatchObject([
      { action: 'uploadFirmware', target: 'thermostat 1.0.0', targetId: id },
      { action: 'uploadFirmware', target: 'thermostat 1.0.0', targetId: id },
      { action: 'createDevice' },
      { action: 'createDeviceModel' },
    ]);
  });

  it('has nothing of a change that did not happen', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);
    const before = (await eventsOf(app)).length;

    await expect(aDevice(app)).rejects.toThrow('CONFLICT');
    await expect(
      app.graphql('mutation { deleteDevice(input: { id: "RGV2aWNlOjk5OQ==" }) { deletedDeviceId } }'),
    ).rejects.toThrow('NOT_FOUND');

    expect(await eventsOf(app)).toHaveLength(before);
  });

  it('is append-only: one place writes rows, one removes them by age, and nothing changes them', () => {
    const root = new URL('../../src/', import.meta.url);
    const uses = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('generated'))
      .flatMap((name) => [
        ...readFileSync(new URL(name, root), 'utf8').matchAll(
          /\bauditEvent\.(\w+)|(?:UPDATE|DELETE FROM) "AuditEvent"/g,
        ),
      ])
      .map(([use]) => use)
      .filter((use) => !/findMany|count|js/.test(use));

    expect(uses.sort()).toEqual(['auditEvent.createMany', 'auditEvent.deleteMany']);
  });

  it('forgets after AUDIT_DAYS', async () => {
    let aheadMs = 0;
    const clock = {
      now: () => new Date(Date.now() + aheadMs),
      uniqueMicros: () => BigInt(Date.now()) * 1000n,
    };
    const app = await aServer({ ...STATIC_TOKENS, AUDIT_DAYS: '30' }, { token: ADMIN, clock });
    await aDevice(app);

    aheadMs = 31 * 24 * 60 * 60 * 1000;
    const later = await app.restart();

    expect(await eventsOf(later)).toEqual([]);
  });
});

async function eventsOf(app: TestApp): Promise<Event[]> {
  const { auditEvents } = await app.graphql<{ auditEvents: { nodes: Event[] } }>(
    `{ auditEvents(first: 50) { nodes { ${FIELDS} } } }`,
  );
  return auditEvents.nodes;
}
