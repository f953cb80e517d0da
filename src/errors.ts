/**
 * Errors that a user of the system can act on. Each carries its code once; `http/errors.ts` maps codes to HTTP and
 * `graphql/server/error-mask.ts` to `extensions.code`. Anything else that is thrown is a bug or a broken dependency: it is
 * logged and masked.
 */
export type DomainErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'GONE'
  | 'TOO_LARGE'
  | 'BODY_STALLED'
  | 'BODY_ABORTED'
  | 'STORAGE_FULL'
  | 'UNAVAILABLE'
  | 'BUSY'
  | 'RATE_LIMITED'
  | 'PARSER_NOT_CONFIGURED';

export class DomainError extends Error {
  override readonly name = 'DomainError';

  /** When trying again makes sense; only for errors that pass by themselves. */
  readonly retryAfterSeconds: number | undefined;

  /** @param message one sentence for the user: what was wrong and what to do */
  constructor(
    readonly code: DomainErrorCode,
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const badInput = (message: string) => new DomainError('BAD_USER_INPUT', message);

export const conflict = (message: string) => new DomainError('CONFLICT', message);

/** @param what the noun as users know it: "core dump", "device" */
export const notFound = (what: string, id: string | number) =>
  new DomainError('NOT_FOUND', `There is no ${what} "${id}".`);
