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
  | 'UNSUPPORTED_MEDIA_TYPE'
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

  /**
   * The input that is wrong, as a path from the parameters of the service: `key`, `filter.search`. GraphQL shows it as
   * `extensions.field`.
   */
  readonly field: string | undefined;

  /** @param message one sentence for the user: what was wrong and how to correct it */
  constructor(
    readonly code: DomainErrorCode,
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number | undefined } & OfField = {},
  ) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.field = options.field;
  }
}

/** Names the input that an error is about. */
interface OfField {
  field?: string | undefined;
}

export const badInput = (message: string, options?: OfField) =>
  new DomainError('BAD_USER_INPUT', message, options);

export const conflict = (message: string, options?: OfField) => new DomainError('CONFLICT', message, options);

/** @param what the noun that users know: "core dump", "device" */
export const notFound = (what: string, id: string | number, options?: OfField) =>
  new DomainError('NOT_FOUND', `There is no ${what} "${id}".`, options);

/** For `catch`: names the input that failed work was about, where the error names none. */
export function naming(field: string): (error: unknown) => never {
  return (error) => {
    const isUnnamed = error instanceof DomainError && error.field === undefined && OF_INPUT.has(error.code);
    if (!isUnnamed) throw error;
    const { code, message, cause } = error;
    throw new DomainError(code, message, { cause, field });
  };
}

/** Codes of errors that the input caused. */
const OF_INPUT: ReadonlySet<DomainErrorCode> = new Set(['BAD_USER_INPUT', 'TOO_LARGE']);

/** The same error for a caller whose parameter `parent` holds those of the service. */
export function within(parent: string, error: DomainError): DomainError {
  const { code, message, cause, retryAfterSeconds, field } = error;
  if (field === undefined) return error;
  return new DomainError(code, message, { cause, retryAfterSeconds, field: `${parent}.${field}` });
}

/** What was thrown, in words. Most of it is an Error; a library may throw anything. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Why a request got no answer, in words: `fetch` only says "fetch failed", and its cause has the reason. A name with
 * several addresses fails once for each, and the error about all of them says nothing itself.
 */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const [first] = cause instanceof AggregateError ? cause.errors : [cause];
  return messageOf(first) || messageOf(error);
}
