import { createClient as createWebSocketClient } from 'graphql-ws';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, bearer, stored, upload } from '../support/app.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

const MARK = 'wifi-password-in-the-dump';

it('the log of a busy server has no token, no link, no key and nothing of a dump in it', async () => {
  const issuer = await anOidcProvider([{ id: 'ci', roles: ['admin'] }, { id: 'iotdevice-thermostat-dev1' }]);
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  const app = await aServer({ ...STATIC_TOKENS, ...issuer.environment }, { token: ADMIN, log });
  const device = await aDevice(app);
  const jwts = {
    admin: await issuer.token('ci'),
    device: await issuer.token('iotdevice-thermostat-dev1'),
    expired: await issuer.sign({ exp: inSeconds(-3600) }),
    elsewhere: await issuer.token('ci', 'other'),
  };
  const wrong = `${'A'.repeat(20)}wrong-token`;

  // Uploads: taken, refused for who sends them, for what they are, and broken off.
  const { coredumpId } = await stored(app, `${MARK} 1`, { headers: bearer(device.token) });
  await upload(app, `${MARK} 2`, { headers: bearer(jwts.device) });
  for (const token of [wrong, ADMIN, jwts.expired, jwts.elsewhere]) {
    await upload(app, `${MARK} 3`, { headers: bearer(token) });
  }
  await upload(app, `${MARK} 4`, { chip: MARK.repeat(4), headers: bearer(device.token) });
  await upload(app, `${MARK} 5`, { headers: { ...bearer(device.token), 'Content-Encoding': 'gzip' } });
  // GraphQL, by every way in which a token can come.
  const { rotateDeviceToken } = await app.graphql<{ rotateDeviceToken: { token: string } }>(
    'mutation ($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }',
    { id: device.id },
  );
  for (const token of [VIEWER, jwts.admin, jwts.expired, wrong, device.token]) {
    await fetch(`${app.url}/graphql?query={__typename nothing}`, { headers: bearer(token) });
    await fetch(`${app.url}/graphql`, { method: 'POST', body: new URLSearchParams({ token }) });
    const client = createWebSocketClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${token}` },
    });
    await client
      .iterate({ query: '{ __typename }' })
      .next()
      .catch(() => {});
    await client.dispose();
  }
  // A download by link, and one whose file is damaged.
  const { coredump } = await app.graphql<{ coredump: { downloadUrl: string } }>(
    'query ($id: ID!) { coredump(id: $id) { downloadUrl } }',
    { id: coredumpId },
  );
  const link = new URL(coredump.downloadUrl, app.url);
  await (await fetch(link)).arrayBuffer();
  await fetch(`${link.href}x`);
  // The issuer gone.
  await issuer.rotate('keep');
  const unknown = await issuer.token('ci');
  await issuer.stop();
  await fetch(`${app.url}/metrics`, { headers: bearer(unknown) });
  await app.close();

  const logged = lines.join('');
  expect(logged).toContain('core dump stored');
  expect(logged).toContain('"action":"downloadCoredump"');
  const secrets = {
    ...jwts,
    unknown,
    ADMIN,
    VIEWER,
    wrong,
    device: device.token,
    rotated: rotateDeviceToken.token,
    link: link.searchParams.get('link')?.split('.').at(-1) ?? '',
    dump: MARK,
    'dump in base64': Buffer.from(MARK).toString('base64').slice(0, 30),
    'dump in hex': Buffer.from(MARK).toString('hex'),
  };
  for (const [what, secret] of Object.entries(secrets)) {
    expect(secret.length, what).toBeGreaterThan(10);
    expect(logged.includes(secret), what).toBe(false);
  }
});
