/**
 * Errors that a user can act on. Each has one code. `http/errors.ts` maps codes to HTTP statuses, and
 * `graphql/server/error-mask.ts` to `extensions.code`. Any other error is a bug or a failed dependency: it is logged,
 * and clients get a general message.
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

  /** Seconds until a retry makes sense; only for errors that pass without a change by the user. */
  readonly retryAfterSeconds: number | undefined;

  /** @param message one sentence for the user: what was wrong and how to correct it */
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

/** @param what the noun that users know: "core dump", "device" */
export const notFound = (what: string, id: string | number) =>
  new DomainError('NOT_FOUND', `There is no ${what} "${id}".`);
