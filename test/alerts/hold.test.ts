import { describe, expect, inject, it } from 'vitest';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import { aRuleInput } from '../support/alert-rule.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aReceiver } from '../support/receiver.js';

const LOG = graphql(`
  query HeldAlerts {
    alertDeliveries { nodes { event subject status heldUntil attempts crashGroup { title } } }
  }
`);

const QUIET = { quietHours: { from: 22 * 60, to: 7 * 60 }, timeZone: 'Europe/Berlin' };
const isShared = inject('postgresql') !== undefined;

async function anEndpoint(at: string, beside?: GraphQLEndpoint) {
  const time = { now: new Date(at) };
  const clock = { ...createSystemClock(), now: () => time.now };
  const endpoint = await aGraphQLEndpoint({
    clock,
    allowPrivateAlerts: true,
    ...(beside === undefined ? {} : { beside }),
  });
  const { url, received } = await aReceiver();
  return {
    endpoint,
    url,
    bodies: () => received.map(({ body }) => JSON.parse(body)),
    /** The time, and one poll of the sender then. */
    async at(moment: string) {
      time.now = new Date(moment);
      endpoint.alertSender.wake();
      await endpoint.alertSender.idle();
    },
    async crash(place: string, version = '1.0.0') {
      const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
      return aCrash(endpoint, device, { place, version, at: time.now });
    },
    log: async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes,
  };
}

describe('quiet hours', () => {
  it('hold alerts, and let one digest go when they are over', async () => {
    const { endpoint, url, bodies, at, crash, log } = await anEndpoint('2026-01-10T22:00:00Z');
    await endpoint.alerts.create(aRuleInput({ url, ...QUIET, spikeCount: 2 }));
    const { groupId } = await crash('one');
    await crash('one');
    await crash('other', '1.1.0');

    await at('2026-01-11T05:59:00Z');
    expect(bodies()).toEqual([]);
    const held = { status: 'HELD', heldUntil: '2026-01-11T06:00:00.000Z' };
    expect(await log()).toMatchObject([held, held, held]);
    await at('2026-01-11T06:00:00Z');

    expect(bodies()).toMatchObject([
      {
        event: 'DIGEST',
        group: null,
        url: 'http://127.0.0.1:4000/groups',
        digest: {
          alerts: 3,
          more: 0,
          items: [
            { title: 'New crash: LoadProhibited in other (other.c)', versions: ['1.1.0'], alerts: 1 },
            { title: 'Spike: LoadProhibited in one (one.c)', groupId, alerts: 2, count: 2, deviceCount: 2 },
          ],
        },
      },
    ]);
    expect(await log()).toMatchObject([
      { event: 'DIGEST', status: 'DELIVERED', crashGroup: null },
      { status: 'DIGESTED', heldUntil: null },
      { status: 'DIGESTED', crashGroup: { title: 'LoadProhibited in one (one.c)' } },
      { status: 'DIGESTED', subject: 'New crash: LoadProhibited in one (one.c)' },
    ]);
  });

  it('let a single alert go as it is', async () => {
    const { endpoint, url, bodies, at, crash } = await anEndpoint('2026-01-10T22:00:00Z');
    await endpoint.alerts.create(aRuleInput({ url, ...QUIET }));
    await crash('one');

    await at('2026-01-11T06:00:00Z');

    expect(bodies()).toMatchObject([{ event: 'NEW', crash: { version: '1.0.0' } }]);
  });

  it('also hold what could not be delivered before them', async () => {
    const { endpoint, at, crash, log } = await anEndpoint('2026-01-10T20:59:50Z');
    // Nobody listens there.
    await endpoint.alerts.create(aRuleInput({ url: 'http://127.0.0.1:9/', ...QUIET }));
    await crash('one');
    await endpoint.alertSender.idle();
    expect(await log()).toMatchObject([{ status: 'PENDING', attempts: 1 }]);

    await at('2026-01-10T21:30:00Z');
    expect(await log()).toMatchObject([{ status: 'HELD', attempts: 1 }]);
    await at('2026-01-11T06:00:00Z');
    expect(await log()).toMatchObject([{ status: 'PENDING', attempts: 2 }]);
  });

  it('are no reason to hold a test', async () => {
    const { endpoint, url, bodies, at } = await anEndpoint('2026-01-10T22:00:00Z');
    const { id } = await endpoint.alerts.create(aRuleInput({ url, ...QUIET, digest: 'DAILY' }));

    await endpoint.alerts.test(id);
    await at('2026-01-10T22:00:01Z');

    expect(bodies()).toMatchObject([{ event: 'TEST', crash: { model: { code: 'example' } } }]);
  });

  it('let go at their new end what is held when a rule is changed; a rule that is switched off sends nothing', async () => {
    const { endpoint, url, bodies, at, crash, log } = await anEndpoint('2026-01-10T22:00:00Z');
    const { id } = await endpoint.alerts.create(aRuleInput({ url, ...QUIET }));
    await crash('one');
    await endpoint.alerts.update(id, { quietHours: null });
    await at('2026-01-10T22:00:01Z');
    expect(bodies()).toMatchObject([{ event: 'NEW' }]);

    await endpoint.alerts.update(id, { quietHours: QUIET.quietHours });
    await crash('two');
    await endpoint.alerts.update(id, { enabled: false });
    await at('2026-01-11T06:00:00Z');
    expect(bodies()).toHaveLength(1);
    expect((await log())[0]).toMatchObject({ status: 'FAILED' });
  });
});

describe('digests', () => {
  it('have an entry for each group, newest first, and are not sent when there was nothing', async () => {
    const { endpoint, url, bodies, at, crash } = await anEndpoint('2026-01-10T12:00:00Z');
    await endpoint.alerts.create(aRuleInput({ url, digest: 'HOURLY' }));
    await at('2026-01-10T13:00:00Z');
    expect(bodies()).toEqual([]);

    for (let count = 0; count < 25; count += 1) await crash(`place_${count}`);
    await at('2026-01-10T13:59:00Z');
    expect(bodies()).toEqual([]);
    await at('2026-01-10T14:00:00Z');

    expect(bodies()).toHaveLength(1);
    const [{ digest }] = bodies();
    expect(digest).toMatchObject({ from: '2026-01-10T13:00:00.000Z', alerts: 25, more: 5 });
    expect(digest.items).toHaveLength(20);
    expect(digest.items[0].title).toContain('place_24');
    await at('2026-01-10T16:00:00Z');
    expect(bodies()).toHaveLength(1);
  });

  it('that became due in quiet hours are one with what came then', async () => {
    const { endpoint, url, bodies, at, crash } = await anEndpoint('2026-01-10T20:30:00Z');
    const rule = aRuleInput({ url, digest: 'HOURLY', ...QUIET });
    await endpoint.alerts.create({ ...rule, quietHours: { from: 22 * 60 + 30, to: 7 * 60 } });
    await crash('one');
    await at('2026-01-10T20:40:00Z');
    await crash('two');
    // 22:40 in Berlin: the digest of 22:00 is late, because no server ran.
    await at('2026-01-10T21:40:00Z');
    await crash('three');
    expect(bodies()).toEqual([]);

    await at('2026-01-11T06:00:00Z');

    expect(bodies()).toMatchObject([{ event: 'DIGEST', digest: { alerts: 3 } }]);
  });

  it.skipIf(!isShared)('are sent once by two servers (needs PostgreSQL)', async () => {
    const one = await anEndpoint('2026-01-10T12:00:00Z');
    const other = await anEndpoint('2026-01-10T12:00:00Z', one.endpoint);
    await one.endpoint.alerts.create(aRuleInput({ url: one.url, digest: 'DAILY', digestAt: 13 * 60 }));
    for (let count = 0; count < 6; count += 1) await one.crash(`place_${count}`);

    await Promise.all([one.at('2026-01-10T13:00:00Z'), other.at('2026-01-10T13:00:00Z')]);
    await Promise.all([one.at('2026-01-10T13:00:01Z'), other.at('2026-01-10T13:00:01Z')]);

    expect(one.bodies()).toMatchObject([{ event: 'DIGEST', digest: { alerts: 6 } }]);
  });

  it('lose nothing when the server ends while it makes one', async () => {
    const { endpoint, url, bodies, at, crash, log } = await anEndpoint('2026-01-10T12:00:00Z');
    await endpoint.alerts.create(aRuleInput({ url, digest: 'HOURLY' }));
    await crash('one');
    await crash('two');
    // The transaction ends before its last statement, as with a server that is killed there.
    const isPostgresql = isShared;
    await endpoint.db.$executeRawUnsafe(
      isPostgresql
        ? `CREATE FUNCTION fail_digest() RETURNS trigger AS 'BEGIN RAISE EXCEPTION ''killed''; END' LANGUAGE plpgsql`
        : `CREATE TRIGGER fail_digest BEFORE INSERT ON "AlertDelivery" WHEN NEW."event" = 'DIGEST' BEGIN SELECT RAISE(ABORT, 'killed'); END`,
    );
    if (isPostgresql)
      await endpoint.db.$executeRawUnsafe(
        `CREATE TRIGGER fail_digest BEFORE INSERT ON "AlertDelivery" FOR EACH ROW WHEN (NEW."event" = 'DIGEST') EXECUTE FUNCTION fail_digest()`,
      );
    await at('2026-01-10T13:00:00Z');
    expect(await log()).toMatchObject([{ status: 'HELD' }, { status: 'HELD' }]);

    await endpoint.db.$executeRawUnsafe(
      isPostgresql ? 'DROP TRIGGER fail_digest ON "AlertDelivery"' : 'DROP TRIGGER fail_digest',
    );
    await at('2026-01-10T13:00:05Z');

    expect(bodies()).toMatchObject([{ event: 'DIGEST', digest: { alerts: 2 } }]);
  });
});
