import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aServer, bearer, eventually, type TestApp } from '../support/app.js';
import { signedIn } from '../support/browser-session.js';
import { asked } from '../support/ci-jobs.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { STATIC_TOKENS } from '../support/people.js';

const CLIENTS = [
  { id: 'ci', roles: ['admin'] },
  { id: 'dashboard', roles: ['viewer'] },
  { id: 'stranger', roles: ['baker'] },
];

const SAVE_VIEW = 'mutation { saveView(input: { name: "mine", address: "/dumps" }) { savedView { id } } }';

describe('a token of the issuer', () => {
  it('has the role that its claim says', async () => {
    const issuer = await anOidcProvider(CLIENTS);
    const app = await aServer(issuer.environment);

    expect(await read(app, await issuer.token('dashboard'))).toBe(200);
    expect(await change(app, await issuer.token('dashboard'))).toBe('FORBIDDEN');
    expect(await change(app, await issuer.token('ci'))).toBe('ok');
    expect(await read(app, await issuer.token('stranger'))).toBe(403);
    expect(await read(app)).toBe(401);
  });

  it('has it where OIDC_ROLES_CLAIM says', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer({ ...issuer.environment, OIDC_ROLES_CLAIM: 'https://example.com/roles' });
    const valid = { exp: inSeconds(60) };

    const listed = await issuer.sign({ ...valid, 'https://example.com/roles': ['viewer'] });
    const inWords = await issuer.sign({ ...valid, 'https://example.com/roles': 'baker viewer' });
    const elsewhere = await issuer.sign({ ...valid, realm_access: { roles: ['admin'] } });

    expect(await read(app, listed)).toBe(200);
    expect(await read(app, inWords)).toBe(200);
    expect(await read(app, elsewhere)).toBe(403);
  });

  it('names each person, in any script, so that nobody is taken for another', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(issuer.environment);
    const nameOf = async (preferred_username: string) => {
      const token = await issuer.sign({
        ...{ exp: inSeconds(60), preferred_username },
        realm_access: { roles: ['viewer'] },
      });
      const response = await fetch(`${app.url}/api/session`, { headers: bearer(token) });
      return ((await response.json()) as { name: string }).name;
    };
    const long = '\u{1f600}'.repeat(200);

    expect([await nameOf('müller'), await nameOf('möller'), await nameOf('мюллер')]).toEqual([
      'müller',
      'möller',
      'мюллер',
    ]);
    expect(await nameOf('a\u202eb')).toMatch(/^a\?b \([0-9a-f]{8}\)$/);
    expect(await nameOf('a\nb')).not.toBe(await nameOf('a\u202eb'));
    expect(await nameOf(`${long}a`)).not.toBe(await nameOf(`${long}b`));
    expect((await nameOf(long)).length).toBeLessThan(200);
  });

  it('gives nothing of another person to whoever has chosen the name', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(issuer.environment);
    const tokenOf = (sub: string, preferred_username: string) =>
      issuer.sign({
        ...{ exp: inSeconds(60), sub, preferred_username },
        realm_access: { roles: ['viewer'] },
      });
    const ada = await tokenOf('1815', 'ada');
    const viewsOf = async (token: string) =>
      (await asked<{ savedViews: { canDelete: boolean }[] }>(app, token, '{ savedViews { canDelete } }'))
        .savedViews;
    await asked(app, ada, SAVE_VIEW);
    const { browser } = await signedIn(app, ada);

    const other = await tokenOf('666', 'ada');
    expect(await viewsOf(other)).toEqual([{ canDelete: false }]);
    await expect(asked(app, other, SAVE_VIEW)).rejects.toThrow('Somebody else');
    const everywhere = `${app.url}/api/session?everywhere=true`;
    await fetch(everywhere, { method: 'DELETE', headers: bearer(other) });

    expect((await browser.get('/api/session')).status).toBe(200);
    // Who is renamed stays the same person.
    const renamed = await tokenOf('1815', 'ada.lovelace');
    expect(await viewsOf(renamed)).toEqual([{ canDelete: true }]);
    await fetch(everywhere, { method: 'DELETE', headers: bearer(renamed) });
    expect((await browser.get('/api/session')).status).toBe(401);
  });

  it('is refused for whatever is wrong with it', async () => {
    const issuer = await anOidcProvider(CLIENTS);
    const app = await aServer(issuer.environment);
    const admin = { sub: 'x', realm_access: { roles: ['admin'] } };
    const good = await issuer.token('ci');
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = { ...admin, iss: issuer.issuer, aud: 'coredock', exp: inSeconds(60) };
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { keys } = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as { keys: object[] };
    const wrong = {
      expired: await issuer.sign({ ...admin, exp: inSeconds(-3600) }),
      'not valid yet': await issuer.sign({ ...admin, exp: inSeconds(7200), nbf: inSeconds(3600) }),
      'without an end': await issuer.sign(admin),
      'wrong audience': await issuer.token('ci', 'other'),
      'other issuer': await issuer.sign({ ...admin, exp: inSeconds(60), iss: 'https://evil.example' }),
      'alg=none': `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
      'alg=HS256 with the public key': hmac(claims, JSON.stringify(keys[0])),
      'unknown key': signed(claims, { alg: 'RS256', kid: 'unknown' }, privateKey),
      'stolen key id': signed(claims, JSON.parse(Buffer.from(head, 'base64url').toString()), privateKey),
      'tampered body': `${head}.${encoded({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'me' })}.${signature}`,
      'no signature': `${head}.${body}.`,
      'half of it': good.slice(0, good.length / 2),
    };

    expect(await read(app, good)).toBe(200);
    for (const [what, token] of Object.entries(wrong)) expect(await read(app, token), what).toBe(401);
  });

  it('is taken a little after its end, because clocks differ', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(issuer.environment);
    const viewer = { realm_access: { roles: ['viewer'] } };

    expect(await read(app, await issuer.sign({ ...viewer, exp: inSeconds(-5) }))).toBe(200);
    expect(await read(app, await issuer.sign({ ...viewer, exp: inSeconds(-35) }))).toBe(401);
  });
});

describe('the issuer', () => {
  it('may rotate its keys while we run, and withdraw the old ones', async () => {
    const issuer = await anOidcProvider(CLIENTS);
    const app = await aServer(issuer.environment);
    const before = await issuer.token('ci');
    expect(await read(app, before)).toBe(200);

    await issuer.rotate('keep');
    const after = await issuer.token('ci');
    await eventually(async () => (await read(app, after)) === 200, 'the new key is known');
    expect(await read(app, before)).toBe(200);

    await issuer.rotate('withdraw');
    const last = await issuer.token('ci');
    await eventually(async () => (await read(app, last)) === 200, 'the newest key is known');
    expect(await read(app, before)).toBe(401);
  });

  it('may be away: known keys keep working, unknown ones are 503 and not 401', async () => {
    const issuer = await anOidcProvider(CLIENTS);
    const app = await aServer(issuer.environment);
    const known = await issuer.token('ci');
    expect(await read(app, known)).toBe(200);
    await issuer.rotate('keep');
    const unknown = await issuer.token('ci');
    await issuer.stop();

    await eventually(async () => (await read(app, unknown)) === 503, 'the issuer is missed');
    expect(await read(app, known)).toBe(200);
  });

  it('may come later than we do', async () => {
    const first = await anOidcProvider(CLIENTS);
    await first.stop();
    const app = await aServer({ ...STATIC_TOKENS, ...first.environment });
    const early = `${encoded({ alg: 'RS256', kid: 'x' })}.${encoded({ iss: first.issuer, exp: inSeconds(60) })}.AA`;
    const response = await fetch(`${app.url}/metrics`, { headers: bearer(early) });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();

    const issuer = await anOidcProvider(CLIENTS, { port: Number(new URL(first.issuer).port) });
    const token = await issuer.token('ci');

    await eventually(async () => (await read(app, token)) === 200, 'the issuer was found');
  });

  it('is not asked again and again for keys that nobody has', async () => {
    const { issuer, asked } = await anIssuer();
    const app = await aServer({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'coredock' });

    for (let number = 0; number < 50; number += 1) {
      const token = `${encoded({ alg: 'RS256', kid: `k${number}` })}.${encoded({ iss: issuer })}.AA`;
      expect(await read(app, token)).toBe(401);
    }
    const foreign = `${encoded({ alg: 'RS256', kid: 'k' })}.${encoded({ iss: 'https://evil.example' })}.AA`;
    expect(await read(app, foreign)).toBe(401);

    // Discovery, the keys, and once more when some seconds have gone by.
    expect(asked()).toBeLessThan(6);
  });

  it('is away, for some seconds and not for each token, when it does not answer with keys', async () => {
    const wrong: Readonly<Record<string, (response: ServerResponse) => void>> = {
      'an error': (response) => response.writeHead(404).end(),
      'that it is asked too often': (response) => response.writeHead(429).end(),
      'the page of a proxy': (response) => response.end('<html>Sign in to this network</html>'),
      'another document': (response) => response.end('{"error":"maintenance"}'),
      'half an answer': (response) => {
        response.writeHead(200, { 'Content-Length': 9 }).write('{');
        setTimeout(() => response.destroy(), 100);
      },
    };

    const cases = Object.entries(wrong).map(async ([what, answer]) => {
      const { issuer, asked, answerBy } = await anIssuer();
      const app = await aServer({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'coredock' });
      const token = (kid: string) => `${encoded({ alg: 'RS256', kid })}.${encoded({ iss: issuer })}.AA`;
      await eventually(async () => (await read(app, token('k'))) === 401, 'the keys are known');
      answerBy(answer);
      await eventually(async () => (await read(app, token('new'))) === 503, 'the issuer is missed');
      const before = asked();
      const statuses: number[] = [];
      for (let number = 0; number < 5; number += 1) statuses.push(await read(app, token(`k${number}`)));
      // Not 401: a new key cannot be known now, and whoever has it should try again.
      expect(statuses, what).toEqual(Array(5).fill(503));
      expect(asked() - before, what).toBeLessThan(2);
    });
    await Promise.all(cases);
  });

  it('cannot fill the memory by an answer without an end', async () => {
    const { issuer, answerBy } = await anIssuer();
    let sent = 0;
    answerBy((response) => {
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const send = () => {
        if (response.destroyed) return;
        sent += chunk.length;
        response.write(chunk, send);
      };
      send();
    });
    const app = await aServer({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'coredock' });
    const token = `${encoded({ alg: 'RS256', kid: 'k' })}.${encoded({ iss: issuer })}.AA`;

    expect(await read(app, token)).toBe(503);

    // What the sockets hold besides.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });
});

/** An issuer without a key, which can be made to answer all requests by `answerBy`. */
async function anIssuer() {
  let requests = 0;
  let answer: ((response: ServerResponse) => void) | null = null;
  const server = createServer((request, response) => {
    requests += 1;
    if (answer !== null) return answer(response);
    const { host } = request.headers;
    const isDiscovery = request.url?.startsWith('/.well-known') === true;
    response.end(
      JSON.stringify(
        isDiscovery ? { issuer: `http://${host}`, jwks_uri: `http://${host}/jwks` } : { keys: [] },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => requests,
    answerBy(next: (response: ServerResponse) => void) {
      answer = next;
    },
  };
}

/** The status of a harmless query. */
async function read(app: TestApp, token?: string): Promise<number> {
  return (await fetch(`${app.url}/graphql?query={__typename}`, { headers: bearer(token) })).status;
}

async function change(app: TestApp, token: string): Promise<string> {
  const query =
    'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { id } } }';
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as { errors?: Array<{ extensions: { code: string } }> };
  return errors?.[0]?.extensions.code ?? 'ok';
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function hmac(claims: object, secret: string): string {
  const input = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function signed(claims: object, header: object, key: Parameters<typeof sign>[2]): string {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}
