import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, eventually, type TestApp, upload } from '../support/app.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

describe('the token of a device', () => {
  it('can be rotated, and the old one works on for a while', async () => {
    const { app, moveClock } = await aServerWithClock();
    const { id, token: first } = await aDevice(app);

    const second = await rotate(app, id, 3600);

    expect([await statusOf(app, first), await statusOf(app, second)]).toEqual([201, 201]);
    moveClock(3_601_000);
    expect([await statusOf(app, first), await statusOf(app, second)]).toEqual([401, 201]);
  });

  it('ends with the second rotation, whatever its grace was', async () => {
    const { app } = await aServerWithClock();
    const { id, token: first } = await aDevice(app);

    const second = await rotate(app, id);
    const third = await rotate(app, id);

    expect(await statusOf(app, first)).toBe(401);
    expect([await statusOf(app, second), await statusOf(app, third)]).toEqual([201, 201]);
  });

  it.each([-1, 2_592_001])('is not rotated with a grace of %d seconds', async (graceSeconds) => {
    const { app } = await aServerWithClock();
    const { id } = await aDevice(app);

    await expect(rotate(app, id, graceSeconds)).rejects.toThrow('BAD_USER_INPUT');
  });

  it('can be revoked at once, with the one before it, and be given anew', async () => {
    const { app } = await aServerWithClock();
    const { id, token: first } = await aDevice(app);
    const second = await rotate(app, id);

    const { revokeDeviceToken } = await app.graphql<{ revokeDeviceToken: { device: object } }>(
      'mutation ($id: ID!) { revokeDeviceToken(input: { id: $id }) { device { hasToken previousTokenUntil } } }',
      { id },
    );

    expect(revokeDeviceToken.device).toEqual({ hasToken: false, previousTokenUntil: null });
    expect([await statusOf(app, first), await statusOf(app, second)]).toEqual([401, 401]);
    const third = await rotate(app, id);
    expect([await statusOf(app, second), await statusOf(app, third)]).toEqual([401, 201]);
  });

  it('tells when it was last used', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);
    const lastUse = async () =>
      (
        await app.graphql<{ device: { tokenUsedAt: string | null } }>(
          '{ device(key: "dev1") { tokenUsedAt } }',
        )
      ).device.tokenUsedAt;
    expect(await lastUse()).toBeNull();

    await upload(app, 'dump', { headers: bearer(token) });

    expect(new Date((await eventually(lastUse, 'the use was noted')) ?? 0).getTime()).toBeGreaterThan(
      Date.now() - 60_000,
    );
  });
});

async function aServerWithClock() {
  let aheadMs = 0;
  let micros = BigInt(Date.now()) * 1000n;
  const clock = {
    now: () => new Date(Date.now() + aheadMs),
    uniqueMicros: () => {
      micros += 1n;
      return micros;
    },
  };
  const app = await aServer(STATIC_TOKENS, { token: ADMIN, clock });
  return {
    app,
    moveClock(ms: number) {
      aheadMs += ms;
    },
  };
}

async function rotate(app: TestApp, id: string, graceSeconds?: number): Promise<string> {
  const { rotateDeviceToken } = await app.graphql<{ rotateDeviceToken: { token: string } }>(
    'mutation ($id: ID!, $grace: Int) { rotateDeviceToken(input: { id: $id, graceSeconds: $grace }) { token } }',
    { id, grace: graceSeconds },
  );
  return rotateDeviceToken.token;
}

async function statusOf(app: TestApp, token: string): Promise<number> {
  return (await upload(app, `dump ${Math.random()}`, { headers: bearer(token) })).status;
}
