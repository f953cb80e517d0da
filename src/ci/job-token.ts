import * as z from 'zod';
import { reasonOf } from '../errors.js';
import { bearerToken, givenToken } from './bearer-token.js';
import { TemporaryFailure } from './temporary-failure.js';

/** Gives the bearer token for one attempt; undefined: the server has no authentication, as far as is known here. */
export type TokenSource = () => Promise<string | undefined>;

export interface TokenOptions {
  /** `--token` */
  token?: string;
  /** `--oidc`: the job's own token, and nothing else. */
  oidc?: boolean;
  /** What the job's token must name; the address of the server when left out. */
  audience?: string;
  url: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Where the token of an upload comes from: `--token` or COREDOCK_TOKEN, else the token that the CI gives to the job. GitHub
 * gives one for the asking (to jobs with `permissions: id-token: write`), GitLab puts it into the variable that the job
 * names in `id_tokens`.
 *
 * @throws Error when `--oidc` asks for a token that the job does not have, or what it was given is no token
 */
export function tokenSource(
  { token, oidc = false, audience, url }: TokenOptions,
  environment: Readonly<Record<string, string | undefined>>,
): TokenSource {
  const given = oidc ? undefined : givenToken(token, environment);
  if (given !== undefined) return async () => given;
  const { COREDOCK_ID_TOKEN, ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN } = environment;
  const ofJob = bearerToken(COREDOCK_ID_TOKEN, 'COREDOCK_ID_TOKEN');
  if (ofJob !== undefined) return async () => ofJob;
  if (ACTIONS_ID_TOKEN_REQUEST_URL && ACTIONS_ID_TOKEN_REQUEST_TOKEN) {
    const address = new URL(ACTIONS_ID_TOKEN_REQUEST_URL);
    address.searchParams.set('audience', audience ?? addressOf(url));
    return () => askGitHub(address, ACTIONS_ID_TOKEN_REQUEST_TOKEN);
  }
  if (oidc) throw new Error(`--oidc: this job has no token. ${HOW_TO_GET_ONE}`);
  return async () => undefined;
}

/** For messages: how a job gets a token without a secret. */
export const HOW_TO_GET_ONE =
  'GitHub gives one to a job with "permissions: id-token: write" (never to pull requests of forks); GitLab to a job with ' +
  '"id_tokens: COREDOCK_ID_TOKEN: aud: …".';

/** A new one for each attempt, because it is valid for a few minutes only. */
async function askGitHub(address: URL, requestToken: string): Promise<string> {
  const response = await fetch(address, {
    headers: { Authorization: `Bearer ${requestToken}`, Accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new TemporaryFailure(`GitHub gave the job no token: ${reasonOf(error)}`);
  });
  if (response.status === 429 || response.status >= 500) {
    throw new TemporaryFailure(`GitHub gave the job no token: it answered ${response.status}`);
  }
  const answer = z.object({ value: z.string().min(1) }).safeParse(await response.json().catch(() => null));
  if (response.ok && answer.success) return answer.data.value;
  throw new Error(`GitHub gave the job no token: it answered ${response.status}`);
}

/** The address as people write it into the settings of the server: without a slash at its end. */
function addressOf(url: string): string {
  return url.replace(/\/+(graphql\/*)?$/, '');
}
