import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSystemClock } from '../../src/platform/clock.js';
import { aServer, eventually, type TestApp } from '../support/app.js';
import { type Browser, signedIn } from '../support/browser-session.js';
import { aPageIssuer, tokensOf } from '../support/sign-in.js';

/** The first token lives so long; those of a renewal live longer, so that a clock can be moved between both. */
const [TOKEN_SECONDS, RENEWED_SECONDS] = [60, 7_200];
const TEN_MINUTES_MS = 600_000;

describe('a session at an issuer', () => {
  it('is renewed by the server, once for all requests that come at once', async () => {
    const { app, browser, later } = await aSession();

    later();
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.ask('{ viewer { role } }')));

    // The issuer takes a refresh token once: a second renewal would have ended the session.
    expect(answers).toEqual(Array(10).fill({ data: { viewer: { role: 'ADMIN' } } }));
    expect((await browser.get('/api/session')).status).toBe(200);
    expect(await signedIn(app, 'wrong')).toMatchObject({ response: { status: 401 } });
  });

  it('keeps the connection of an open page over the end of its token', async () => {
    const { app, browser, later } = await aSession();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: browser.headers,
    });
    let answers = 0;
    socket.on('message', (data) => {
      if (JSON.parse(String(data)).type === 'next') answers += 1;
    });
    const ask = (id: string) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: '{ viewer { role } }' } }));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
    await new Promise((resolve) => socket.once('message', resolve));

    later();
    await browser.get('/api/session');
    ask('1');
    await eventually(async () => answers === 1, 'the answer');

    expect(socket.readyState).toBe(socket.OPEN);
    socket.close();
  });

  it('ends when the issuer renews it no more', async () => {
    const { browser, issuer, refreshToken, later } = await aSession();
    const body = new URLSearchParams({ client_id: 'coredock-page', token: refreshToken });
    expect((await fetch(`${issuer}/token/revocation`, { method: 'POST', body })).status).toBe(200);

    later();

    expect(await browser.ask('{ viewer { role } }')).toMatchObject({
      errors: [{ message: 'The session has ended at the issuer: sign in again.' }],
    });
    const config = await browser.get('/api/config');
    expect(await config.json()).toMatchObject({ session: null, ended: 'ended' });
  });

  it('waits for an issuer that does not answer', async () => {
    const { app, browser, stopIssuer, later } = await aSession();
    stopIssuer();

    later();

    const response = await browser.get('/api/session');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
    expect((await browser.get('/api/config')).status).toBe(503);
    // It can be signed out nevertheless.
    expect((await browser.signOut()).status).toBe(204);
    expect((await browser.get('/api/session')).status).toBe(401);
    await app.close();
  });
});

interface Session {
  app: TestApp;
  browser: Browser;
  issuer: string;
  refreshToken: string;
  stopIssuer: () => void;
  /** After the end of the token that it began with. */
  later: () => void;
}

async function aSession(): Promise<Session> {
  const { issuer, environment, redirectUri, stop } = await aPageIssuer({
    tokenSeconds: TOKEN_SECONDS,
    renewedSeconds: RENEWED_SECONDS,
  });
  let aheadMs = 0;
  const clock = { ...createSystemClock(), now: () => new Date(Date.now() + aheadMs) };
  const app = await aServer({ ...environment, PORT: '0' }, { clock });
  const { accessToken, refreshToken } = await tokensOf(issuer, redirectUri, 'ada');
  const { response, browser } = await signedIn(app, accessToken, {}, refreshToken);
  expect(await response.json()).toMatchObject({ name: 'ada', role: 'admin', via: 'issuer' });
  const later = () => {
    aheadMs = TEN_MINUTES_MS;
  };
  return { app, browser, issuer, refreshToken, stopIssuer: stop, later };
}
