import { afterEach, describe, expect, it, vi } from 'vitest';
import { aDevice, aServer, bearer, upload } from '../support/app.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const TWENTY_DAYS = 20 * 24 * 60 * 60 * 1000;

/** Sets the time of day, as NTP or a person does; timers and the clock that nobody sets go on as they went. */
function setClock(byMs: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: false });
  vi.setSystemTime(now + byMs);
}

afterEach(() => void vi.useRealTimers());

describe.each([
  ['back', -TWENTY_DAYS],
  ['forward', TWENTY_DAYS],
])('a clock that was set %s by weeks', (_, byMs) => {
  it('neither prolongs nor lifts the rate of a device', async () => {
    const app = await aServer({ DEVICE_UPLOADS_PER_MINUTE: '1', DEVICE_UPLOAD_BURST: '1' });
    await aDevice(app);
    const statuses = [(await upload(app, 'one')).status, (await upload(app, 'two')).status];

    setClock(byMs);
    const refused = await upload(app, 'three');

    expect([...statuses, refused.status]).toEqual([201, 201, 429]);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60 * 60);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('neither prolongs nor lifts what holds back who tries tokens', async () => {
    const app = await aServer({ ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '2' }, { token: ADMIN });
    const ask = (token: string) => fetch(`${app.url}/metrics`, { headers: bearer(token) });
    const statuses = [(await ask('wrong')).status, (await ask('wrong')).status];

    setClock(byMs);
    const held = await ask(ADMIN);

    expect([...statuses, held.status]).toEqual([401, 401, 429]);
    expect(Number(held.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  });
});
