import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSystemClock } from '../../src/platform/clock.js';
import { aServer } from '../support/app.js';
import { aBrowser, signedIn } from '../support/browser-session.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aPageIssuer, tokensOf } from '../support/sign-in.js';

it('a session of one server is one of the other, and its end closes connections there', async () => {
  const one = await aServer(STATIC_TOKENS);
  const other = await one.another();
  const { browser } = await signedIn(one, VIEWER);
  const there = aBrowser(other.url, browser.headers.Cookie);
  expect((await there.get('/api/session')).status).toBe(200);
  const socket = new WebSocket(`${other.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers: there.headers,
  });
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
  await new Promise((resolve) => socket.once('message', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));

  expect((await browser.signOut('?everywhere=true')).status).toBe(204);

  expect((await there.get('/api/session')).status).toBe(401);
  expect(await closed).toBe(4403);
});

it('a session is renewed by one server, and the others take its new tokens', async () => {
  const { issuer, environment, redirectUri } = await aPageIssuer({ tokenSeconds: 60, renewedSeconds: 7_200 });
  let aheadMs = 0;
  const clock = { ...createSystemClock(), now: () => new Date(Date.now() + aheadMs) };
  const one = await aServer({ ...environment, PORT: '0' }, { clock });
  const other = await one.another();
  const { accessToken, refreshToken } = await tokensOf(issuer, redirectUri, 'bob');
  const { browser } = await signedIn(one, accessToken, {}, refreshToken);
  const there = aBrowser(other.url, browser.headers.Cookie);

  aheadMs = 600_000;
  const visits = Array.from({ length: 5 }, () => [browser.get('/api/session'), there.get('/api/session')]);
  const statuses = (await Promise.all(visits.flat())).map(({ status }) => status);

  // The issuer takes a refresh token once: a second renewal would have ended the session.
  expect(statuses).toEqual(Array(10).fill(200));
  expect((await there.get('/api/session')).status).toBe(200);
});
