import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aRuleInput } from '../support/alert-rule.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { aMailServer, smtpAt } from '../support/mail-server.js';
import { aCertificate, type Certificate, hasOpenssl } from '../support/proxies.js';

const CREATE = graphql(`
  mutation CreateMailRule($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) { alertRule { id format target recipients } }
  }
`);
const LOG = graphql(`query MailLog { alertDeliveries { nodes { event status attempts httpStatus error } } }`);

let certificate: Certificate;
let other: Certificate;

const poll = (check: () => unknown) => expect.poll(() => check(), { timeout: 30_000, interval: 20 });

describe.skipIf(!hasOpenssl)('alerts by mail (needs openssl)', () => {
  beforeAll(async () => {
    [certificate, other] = await Promise.all([aCertificate(), aCertificate()]);
  });
  afterAll(() => Promise.all([certificate.remove(), other.remove()]));

  async function anEndpoint(options: Partial<Parameters<typeof aMailServer>[0]> = {}, ca = certificate.text) {
    const server = await aMailServer({ certificate, ...options });
    const endpoint = await aGraphQLEndpoint({ mail: { smtp: smtpAt(server.port), ca } });
    /** A rule, one crash, and what became of its alert. */
    async function told(recipients = ['a@example.org', 'b@example.org']) {
      const { id } = await endpoint.alerts.create(aRuleInput({ url: null, format: 'MAIL', recipients }));
      // A test is tried once.
      await endpoint.alerts.test(id);
      await poll(async () => (await endpoint.ask(LOG, {})).alertDeliveries.nodes[0]?.status).not.toBe(
        'PENDING',
      );
      return (await endpoint.ask(LOG, {})).alertDeliveries.nodes[0];
    }
    return { ...server, endpoint, told };
  }

  it('arrive encrypted, as text and HTML, in one thread for a group', async () => {
    const { endpoint, received } = await anEndpoint();
    const { createAlertRule } = await endpoint.ask(CREATE, {
      input: {
        name: 'on call',
        format: 'MAIL',
        recipients: ['a@example.org', 'b@example.org'],
        spikeCount: 2,
      },
    });
    expect(createAlertRule.alertRule).toMatchObject({
      target: 'mailto:',
      recipients: ['a@example.org', 'b@example.org'],
    });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lamp', name: 'Lamp' }));

    const { groupId } = await aCrash(endpoint, device, { place: '<b>x</b>' });
    await poll(() => received.length).toBe(1);
    await aCrash(endpoint, device, { place: '<b>x</b>' });
    await poll(() => received.length).toBe(2);

    const [first, second] = received.map(({ text }) => text.replace(/=\r\n/g, ''));
    expect(received[0]).toMatchObject({
      to: ['a@example.org', 'b@example.org'],
      isEncrypted: true,
      user: 'coredock',
    });
    expect(first).toMatch(/^From: Coredock <coredock@example\.org>$/m);
    expect(first).toMatch(/^To: a@example\.org, b@example\.org$/m);
    expect(first).toMatch(/^Subject: \[Coredock\] New crash: LoadProhibited in <b>x<\/b> /m);
    expect(first).toMatch(/^Auto-Submitted: auto-generated$/im);
    expect(first).toMatch(/^List-ID: .*<alerts-\d+\.coredock\.example\.org>$/im);
    expect(first).toContain('multipart/alternative');
    expect(first).toContain('Lamp (lamp)');
    expect(first).toContain('&lt;b&gt;x&lt;/b&gt;');
    expect(first).toContain(`/groups/${encodeURIComponent(groupId)}`);
    const threads = [first, second].map((text) => /^References:\s+(\S+)/m.exec(text ?? '')?.[1]);
    expect(threads[0]).toMatch(/@example\.org>$/);
    expect(threads[1]).toBe(threads[0]);
    expect(/^Message-ID:\s+(\S+)/m.exec(first ?? '')?.[1]).not.toBe(
      /^Message-ID:\s+(\S+)/m.exec(second ?? '')?.[1],
    );
  });

  it('are not sent in clear, when the server offers no STARTTLS', async () => {
    const { told, received } = await anEndpoint({ offersTls: false });

    expect(await told()).toMatchObject({ status: 'FAILED', error: expect.stringContaining('STARTTLS') });
    expect(received).toEqual([]);
  });

  it('are not sent to a server with another certificate', async () => {
    const { told, received } = await anEndpoint({}, other.text);

    expect(await told()).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/certificate/i) });
    expect(received).toEqual([]);
  });

  it('say that the server refused the password, without the password', async () => {
    const { told } = await anEndpoint({ refusesPassword: true });

    const delivery = await told();

    expect(delivery).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/SMTP_URL.*535/) });
    expect(delivery?.error).toContain('***');
    expect(delivery?.error).not.toContain('a secret');
  });

  it('say that the server refused the mail', async () => {
    const { told } = await anEndpoint({ refusesMail: true });

    expect(await told()).toMatchObject({ status: 'FAILED', error: expect.stringContaining('552') });
  });

  it('arrive at the others when one recipient is refused, and say who it was', async () => {
    const { told, received } = await anEndpoint({ refusedRecipients: ['b@example.org'] });

    expect(await told()).toMatchObject({
      status: 'DELIVERED',
      error: expect.stringMatching(/b@example\.org.*550/),
    });
    expect(received).toMatchObject([{ to: ['a@example.org'] }]);
  });

  it('fail when all recipients are refused', async () => {
    const { told } = await anEndpoint({ refusedRecipients: ['a@example.org', 'b@example.org'] });

    expect(await told()).toMatchObject({ status: 'FAILED', error: expect.stringContaining('550') });
  });

  it('refuse recipients that are not one address each', async () => {
    const { endpoint } = await anEndpoint();
    const create = (recipients: string[] | null) =>
      endpoint.alerts.create(aRuleInput({ url: null, format: 'MAIL', recipients }));

    await expect(create(null)).rejects.toMatchObject({ field: 'recipients' });
    await expect(create([])).rejects.toMatchObject({ field: 'recipients' });
    for (const wrong of [
      'a@x.org, b@x.org',
      'A <a@x.org>',
      'a@x.org\r\nBcc: c@x.org',
      'a b@x.org',
      '@x.org',
      'a@',
      'a@x..org',
    ])
      await expect(create(['a@example.org', wrong]), wrong).rejects.toMatchObject({ field: 'recipients.1' });
  });
});
