import pRetry from 'p-retry';
import * as z from 'zod';
import { reasonOf } from '../errors.js';

/** A failure after which a retry may succeed: no connection, a server that is overloaded or restarts. */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure';
}

/** How often what failed temporarily is tried again, after which first pause, and who is told. */
export interface Retries {
  retries: number;
  retryDelayMs: number;
  say: (line: string) => void;
}

/** Calls `work` again after a `TemporaryFailure`, with growing random pauses; other errors end it at once. */
export function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  { retries, retryDelayMs, say }: Retries,
): Promise<T> {
  return pRetry(work, {
    retries,
    minTimeout: retryDelayMs,
    maxTimeout: 30_000,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof TemporaryFailure,
    onFailedAttempt({ error, retriesLeft }) {
      if (error instanceof TemporaryFailure && retriesLeft > 0)
        say(`${error.message}; trying again, ${retriesLeft} left`);
    },
  });
}

/** Of the server itself: it is overloaded, restarts, or the request was too slow for it. */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** "the server answered 503", and why, where its answer says it. @param json the parsed body */
export function answeredTemporarily(status: number, json: unknown): TemporaryFailure {
  const reason = refusal.safeParse(json).data?.errors[0].message;
  return new TemporaryFailure(`the server answered ${status}${reason === undefined ? '' : `: ${reason}`}`);
}

/** `extensions.code` of errors that pass by themselves. */
export function isTemporaryCode(code: string | undefined): boolean {
  return code === 'INTERNAL_SERVER_ERROR' || code === 'RATE_LIMITED';
}

/** Why a request got no answer, in one line. @returns a TemporaryFailure unless a retry cannot mend it */
export function connectionFailure({ origin, protocol }: URL, error: unknown): Error {
  const message = reasonOf(error);
  // OpenSSL's words for an answer that is not TLS; they have several lines, and addresses in memory.
  if (protocol === 'https:' && /wrong version number|packet length too long/.test(message))
    return new Error(
      `${origin} does not speak HTTPS: begin --url with http://, or name the proxy that has HTTPS`,
    );
  return new TemporaryFailure(`${origin}: ${message}`);
}

const refusal = z.object({ errors: z.tuple([z.object({ message: z.string() })]).rest(z.unknown()) });
