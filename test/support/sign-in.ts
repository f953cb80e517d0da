import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { askAlone } from './own-connection.js';
import { ADMIN } from './people.js';
import type { Program } from './program.js';

const PROVIDER = fileURLToPath(new URL('./oidc-people.mjs', import.meta.url));

/** Where the page says who has not signed in: by a static token. */
export async function signInWith(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token of a viewer or admin').fill(token);
  await page.getByRole('button', { name: 'Sign in with the token' }).click();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
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
export async function aPageIssuer({
  tokenSeconds = 3600,
  /** Of the tokens of a renewal. */
  renewedSeconds = tokenSeconds,
  isSplit = false,
  basePath = '',
}: {
  tokenSeconds?: number;
  renewedSeconds?: number;
  isSplit?: boolean;
  basePath?: string;
} = {}) {
  const port = await aFreePort();
  const redirectUri = `http://127.0.0.1:${port}${basePath}/sign-in/callback`;
  const child = fork(PROVIDER, {
    env: {
      ...process.env,
      REDIRECT_URI: redirectUri,
      TOKEN_SECONDS: String(tokenSeconds),
      RENEWED_SECONDS: String(renewedSeconds),
      ...(isSplit ? { SPLIT: 'yes' } : {}),
    },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
  return {
    issuer,
    redirectUri,
    stop: () => void child.kill('SIGKILL'),
    environment: {
      PORT: String(port),
      ...(basePath === '' ? {} : { PUBLIC_URL: `http://127.0.0.1:${port}${basePath}` }),
      OIDC_ISSUER: issuer,
      OIDC_AUDIENCE: 'coredock',
      OIDC_CLIENT_ID: 'coredock-page',
    },
  };
}

/**
 * The tokens that the page gets for somebody who signs in at the issuer, without a browser: authorization code flow with
 * PKCE, through the issuer's own forms.
 */
export async function tokensOf(
  issuer: string,
  redirectUri: string,
  name: string,
): Promise<{ accessToken: string; refreshToken: string }> {
  const cookies = new Map<string, string>();
  const visit = async (address: string, form?: Record<string, string>): Promise<string> => {
    const Cookie = [...cookies].map(([key, value]) => `${key}=${value}`).join('; ');
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(new URL(address, issuer), {
      ...body,
      headers: { Cookie },
      redirect: 'manual',
    });
    await response.arrayBuffer();
    for (const cookie of response.headers.getSetCookie()) {
      const [key = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/);
      cookies.set(key, value);
    }
    return response.headers.get('location') ?? '';
  };
  const verifier = 'a'.repeat(64);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const login = await visit(
    `/auth?${new URLSearchParams({
      client_id: 'coredock-page',
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })}`,
  );
  const consent = await visit(await visit(login, { prompt: 'login', login: name, password: 'any' }));
  const callback = await visit(await visit(consent, { prompt: 'consent' }));
  const code = new URL(callback).searchParams.get('code') ?? '';
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'coredock-page',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      code,
    }),
  });
  const { access_token, refresh_token } = (await response.json()) as Record<string, string>;
  return { accessToken: access_token ?? '', refreshToken: refresh_token ?? '' };
}

/** A GraphQL document, asked by the admin of the static token. */
export function asAdmin<Data>(program: Program, query: string, variables: object = {}): Promise<Data> {
  return askAlone(program, query, { variables, token: ADMIN });
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
