import * as z from 'zod';
import { DomainError, reasonOf } from '../errors.js';
import { parseJson } from '../platform/json.js';
import { textOf } from './issuer.js';

const TIMEOUT_MS = 10_000;

export interface RenewalRequest {
  endpoint: URL;
  /** Of the page, which is a public client: it has no secret. */
  clientId: string;
  refreshToken: string;
  /** Where the page was that got the refresh token. */
  origin: string | null;
}

export interface RenewedTokens {
  token: string;
  /** The one that was sent, where the issuer gives no other. */
  refreshToken: string;
}

/** The issuer gives no new tokens: its own session has ended, or its client was changed. */
export class RenewalRefused extends Error {
  override readonly name = 'RenewalRefused';
}

/**
 * RFC 6749 §6.
 *
 * @throws RenewalRefused; DomainError UNAVAILABLE when the issuer does not answer, or not now
 */
export async function renewTokens({
  endpoint,
  clientId,
  refreshToken,
  origin,
}: RenewalRequest): Promise<RenewedTokens> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
  });
  const { status, answer } = await ask(endpoint, body, origin).catch(unavailable);
  if (status >= 500 || PASSING.includes(status)) unavailable(new Error(`it answered ${status}`));
  const tokens = answerSchema.safeParse(answer);
  if (status === 200 && tokens.success) {
    const { access_token: token, refresh_token: next = refreshToken } = tokens.data;
    return { token, refreshToken: next };
  }
  const { data } = errorSchema.safeParse(answer);
  throw new RenewalRefused(`the issuer answers ${data?.error ?? status}`);
}

/** Statuses below 500 after which the same request may succeed. */
const PASSING = [408, 429];

const answerSchema = z.object({ access_token: z.string(), refresh_token: z.string().optional() });
const errorSchema = z.object({ error: z.string().max(100) });

async function ask(endpoint: URL, body: URLSearchParams, origin: string | null) {
  const response = await fetch(endpoint, {
    method: 'POST',
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    // Entra ID renews the tokens of a page only for requests that name the page's origin.
    headers: { Accept: 'application/json', ...(origin === null ? {} : { Origin: origin }) },
  });
  return { status: response.status, answer: parseJson(await textOf(response, endpoint.href)) };
}

/** @throws DomainError UNAVAILABLE */
export function unavailable(error: unknown): never {
  throw new DomainError(
    'UNAVAILABLE',
    `The session cannot be renewed now, because the issuer does not answer (${reasonOf(error)}); try again.`,
    { cause: error },
  );
}
