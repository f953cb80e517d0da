import { expect, it } from 'vitest';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

it('downloadUrl works without a header, for this dump and for five minutes', async () => {
  const { app, first, second, moveClock } = await aServerWithDumps();
  const url = await downloadUrl(app, first);

  expect(await (await fetch(new URL(url, app.url))).text()).toBe('first');
  const query = new URL(url, app.url).search;
  const other = `${app.url}/api/coredumps/${encodeURIComponent(second)}/download`;
  expect((await fetch(other + query)).status).toBe(401);
  expect((await fetch(other)).status).toBe(401);
  expect((await fetch(other, { headers: bearer(VIEWER) })).status).toBe(200);

  moveClock(270_000);
  expect((await fetch(new URL(url, app.url))).status).toBe(200);
  moveClock(31_000);
  expect((await fetch(new URL(url, app.url))).status).toBe(401);
});

it('a link that was changed anywhere is none', async () => {
  const { app, first } = await aServerWithDumps();
  const url = await downloadUrl(app, first);
  const [until = '', role = '', name = '', signature = ''] =
    new URL(url, app.url).searchParams.get('link')?.split('.') ?? [];

  for (const link of [
    `${Number(until) + 1}.${role}.${name}.${signature}`,
    `${until}.${role}.${Buffer.from('somebody else').toString('base64url')}.${signature}`,
    `${until}.${role}.${name}.${signature.slice(1)}A`,
    `${until}.${role}.${name}.`,
    `${until}.${role}.${name}`,
    `${until}.viewer.${name}.${signature}`,
    '',
    '...',
  ]) {
    const address = new URL(url, app.url);
    address.searchParams.set('link', link);
    expect((await fetch(address)).status, link).toBe(401);
  }
});

it('links outlive a restart, because their key is in the database', async () => {
  const { app, first } = await aServerWithDumps();
  const url = await downloadUrl(app, first);

  const again = await app.restart();

  expect((await fetch(new URL(url, again.url))).status).toBe(200);
});

async function aServerWithDumps() {
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
  const { token } = await aDevice(app);
  const [first, second] = [
    await stored(app, 'first', { headers: bearer(token) }),
    await stored(app, 'second', { headers: bearer(token) }),
  ];
  return {
    app,
    first: first.coredumpId,
    second: second.coredumpId,
    moveClock(ms: number) {
      aheadMs += ms;
    },
  };
}

async function downloadUrl(app: TestApp, id: string): Promise<string> {
  const { coredump } = await app.graphql<{ coredump: { downloadUrl: string } }>(
    'query ($id: ID!) { coredump(id: $id) { downloadUrl } }',
    { id },
  );
  return coredump.downloadUrl;
}
