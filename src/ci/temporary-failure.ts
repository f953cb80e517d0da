import * as z from 'zod';

/** A failure after which a retry may succeed: no connection, a server that is overloaded or restarts. */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure';
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

const refusal = z.object({ errors: z.tuple([z.object({ message: z.string() })]).rest(z.unknown()) });
