import { expect, it } from 'vitest';
import { aDevice, aServer, bearer } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

it('tells who has signed in what he may do, and strangers only how to sign in', async () => {
  const app = await aServer(STATIC_TOKENS, { token: ADMIN });
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${app.url}/api/config`, { headers });
    return { status: response.status, role: (await response.json()).role };
  };

  expect(await ask({})).toEqual({ status: 200, role: null });
  expect(await ask(bearer(VIEWER))).toEqual({ status: 200, role: 'viewer' });
  expect(await ask(bearer(ADMIN))).toEqual({ status: 200, role: 'admin' });
  expect(await ask(bearer('wrong'))).toMatchObject({ status: 401 });
});

it('is a device’s business no more than anything else of the page', async () => {
  const app = await aServer(STATIC_TOKENS, { token: ADMIN });
  const { token } = await aDevice(app);
  const response = await fetch(`${app.url}/api/config`, { headers: bearer(token) });
  expect(response.status).toBe(403);
});

it('lets everybody do everything where nobody signs in', async () => {
  const app = await aServer();
  const answer = await (await fetch(`${app.url}/api/config`)).json();
  expect(answer).toMatchObject({ authentication: false, role: 'admin' });
});

it('says why uploads and events will fail where a proxy hides the address of the page', async () => {
  const app = await aServer({ PUBLIC_URL: 'https://crashes.example.org/coredock' });
  const problemOf = async (origin: string) =>
    (await (await fetch(`${app.url}/api/config?${new URLSearchParams({ origin })}`)).json()).problem;

  expect(await problemOf('https://crashes.example.org')).toBeNull();
  expect(await problemOf(app.url)).toBeNull();
  expect(await problemOf('https://other.example.org')).toMatch(
    /https:\/\/other\.example\.org.*set PUBLIC_URL/,
  );
});
