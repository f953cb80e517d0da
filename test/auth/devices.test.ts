import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, errorOf, upload } from '../support/app.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

describe('a device, with authentication on', () => {
  it('uploads with its token, and device_key alone proves nothing', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);

    expect((await upload(app, 'dump', { headers: bearer(token) })).status).toBe(201);
    expect(await errorOf(await upload(app, 'dump'))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await errorOf(await upload(app, 'dump', { headers: bearer('x'.repeat(43)) }))).toMatchObject({
      status: 401,
    });
    expect(
      await errorOf(await upload(app, 'dump', { headers: { Authorization: 'Basic YTpi' } })),
    ).toMatchObject({
      status: 401,
    });
  });

  it('cannot write as another one, whatever it says in the query', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);
    await aDevice(app, { key: 'dev2' });

    const response = await upload(app, 'dump', { device: 'dev2', headers: bearer(token) });

    expect(await errorOf(response)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
      '{ coredumps { totalCount } }',
    );
    expect(coredumps.totalCount).toBe(0);
  });

  it.each([ADMIN, VIEWER])('is what uploads; a person does not: %s', async (token) => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);

    expect(await errorOf(await upload(app, 'dump', { headers: bearer(token) }))).toMatchObject({
      status: 403,
    });
  });

  it('gets nothing from GraphQL, downloads and metrics', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);
    const stored = await upload(app, 'dump', { headers: bearer(token) });
    const { coredumpId } = (await stored.json()) as { coredumpId: string };

    for (const path of [
      '/graphql?query={__typename}',
      `/api/coredumps/${encodeURIComponent(coredumpId)}/download`,
      '/metrics',
    ]) {
      expect((await fetch(app.url + path, { headers: bearer(token) })).status, path).toBe(403);
    }
  });
});

describe('a device with a token of the issuer', () => {
  it('is who azp says, if the database says so too', async () => {
    const issuer = await anOidcProvider([
      { id: 'iotdevice-thermostat-dev1' },
      { id: 'iotdevice-pump-dev1' },
      { id: 'iotdevice-thermostat-dev9' },
    ]);
    const app = await aServer({ ...STATIC_TOKENS, ...issuer.environment }, { token: ADMIN });
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    const own = bearer(await issuer.token('iotdevice-thermostat-dev1'));

    expect((await upload(app, 'dump', { headers: own })).status).toBe(201);
    expect((await upload(app, 'dump', { device: 'dev2', headers: own })).status).toBe(403);
    const ofOtherModel = bearer(await issuer.token('iotdevice-pump-dev1'));
    expect(await errorOf(await upload(app, 'dump', { headers: ofOtherModel }))).toMatchObject({
      status: 403,
      message: expect.stringContaining('pump'),
    });
    const unknown = bearer(await issuer.token('iotdevice-thermostat-dev9'));
    expect(await errorOf(await upload(app, 'dump', { device: 'dev9', headers: unknown }))).toMatchObject({
      status: 404,
    });
  });

  it.each([
    ['a device with the role of an admin', { azp: 'iotdevice-thermostat-dev1' }],
    ['a client that is not quite a device', { azp: 'iotdevice-Thermostat-dev1' }],
    ['a client without a key', { azp: 'iotdevice-thermostat-' }],
  ])('is never a person: %s', async (_, claims) => {
    const issuer = await anOidcProvider([]);
    const app = await aServer({ ...STATIC_TOKENS, ...issuer.environment }, { token: ADMIN });
    await aDevice(app);
    const token = await issuer.sign({ ...claims, exp: inSeconds(60), realm_access: { roles: ['admin'] } });

    const response = await fetch(`${app.url}/graphql?query={__typename}`, { headers: bearer(token) });

    expect(response.status).toBe(403);
  });
});
