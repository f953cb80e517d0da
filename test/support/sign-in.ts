import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { ADMIN } from './people.js';
import type { Program } from './program.js';

const PROVIDER = fileURLToPath(new URL('./oidc-people.mjs', import.meta.url));

/** Where the page says who has not signed in: by a static token. */
export async function signInWith(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token of a viewer or admin').fill(token);
  await page.getByRole('button', { name: 'Sign in with the token' }).click();
}

/** The issuer's own forms: a name, any password, and consent. */
export async function signInAt(page: Page, name: string): Promise<void> {
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').click();
}

/**
 * An issuer of which the page is a client, and what the program must be told to be that page's server.
 *
 * @param isSplit it gives out tokens on another origin than its own
 * @param basePath of the page: `/coredock`
 */
export async function aPageIssuer({ tokenSeconds = 3600, isSplit = false, basePath = '' } = {}) {
  const port = await aFreePort();
  const child = fork(PROVIDER, {
    env: {
      ...process.env,
      REDIRECT_URI: `http://127.0.0.1:${port}${basePath}/sign-in/callback`,
      TOKEN_SECONDS: String(tokenSeconds),
      ...(isSplit ? { SPLIT: 'yes' } : {}),
    },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
  return {
    issuer,
    environment: {
      PORT: String(port),
      ...(basePath === '' ? {} : { PUBLIC_URL: `http://127.0.0.1:${port}${basePath}` }),
      OIDC_ISSUER: issuer,
      OIDC_AUDIENCE: 'coredock',
      OIDC_CLIENT_ID: 'coredock-page',
    },
  };
}

/** A GraphQL document, asked by the admin of the static token. */
export async function asAdmin<Data>(program: Program, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${program.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

/** What Chromium writes to the console of an answer with 401. */
export function isRefusal(complaint: string): boolean {
  return complaint.includes('status of 401');
}

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
