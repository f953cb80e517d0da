import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { badInput, DomainError } from '../errors.js';
import { discard } from '../platform/http/drain-slowly.js';

/** Minimum of bytes in each period, unless fewer remain: a slower sender only occupies a socket. */
const MIN_BYTES_PER_PERIOD = 1_024;

/** Time for a refused sender to read its answer, while the rest of its body is discarded. */
const LINGER_MS = 2_000;

/** The same for a sender that reads its answer only when it has sent its whole body, over a slow link. */
export const PATIENT_LINGER_MS = 120_000;

export interface BodyOptions {
  /** Length of the period in which a body must bring at least 1 KiB, or its rest. */
  stallMs: number;
  /** After this time the whole body must have arrived. */
  deadlineMs: number;
  signal: AbortSignal;
}

/**
 * The bytes of a request body as they arrive, decompressed.
 *
 * @param options.signal aborted when the bytes after the request are not valid HTTP
 * @throws DomainError BODY_STALLED, BODY_ABORTED, BAD_USER_INPUT (unknown or broken compression), `signal`'s reason
 */
export function readBody(request: IncomingMessage, options: BodyOptions): AsyncIterable<Uint8Array> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const raw = rawBody(request, options);
  switch (encoding) {
    case 'identity':
    case '':
      return raw;
    case 'gzip':
    case 'x-gzip':
      return inflated(raw, createGunzip(), encoding);
    case 'deflate':
      return inflated(raw, createInflate(), encoding);
    default:
      throw badInput(
        `Content-Encoding "${encoding.slice(0, 64)}" is not supported: send the dump as it is, or gzip it.`,
      );
  }
}

/** Whether a body follows the head of the request. */
export function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

/**
 * For a refusal that leaves the body unread: the answer is written but not ended. Discards the rest of the body until
 * the sender has finished or has had time to read the answer, then ends the answer, which closes the connection.
 * Closing a socket with unread bytes would reset it, and the sender could lose the answer.
 */
export function discardRest(
  request: IncomingMessage,
  response: ServerResponse,
  lingerMs: number = LINGER_MS,
): void {
  const timer = setTimeout(end, lingerMs);
  request.once('close', end).once('end', end).on('error', end);
  discard(request);

  function end(): void {
    clearTimeout(timer);
    response.end();
  }
}

async function* rawBody(
  request: IncomingMessage,
  { stallMs, deadlineMs, signal }: BodyOptions,
): AsyncGenerator<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = request.iterator({ destroyOnReturn: false });
  let bytesInPeriod = 0;
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  const onAbort = () => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setInterval(() => {
    if (bytesInPeriod < MIN_BYTES_PER_PERIOD) fail(stalled(stallMs));
    bytesInPeriod = 0;
  }, stallMs);
  const deadline = setTimeout(() => fail(tooSlow(deadlineMs)), deadlineMs);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await Promise.race([iterator.next(), failure]);
      if (done === true) break;
      bytesInPeriod += value.byteLength;
      yield value;
    }
    signal.throwIfAborted();
  } catch (error) {
    throw error instanceof DomainError ? error : aborted(error);
  } finally {
    clearInterval(timer);
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
  }
}

async function* inflated(
  raw: AsyncIterable<Uint8Array>,
  inflate: ReturnType<typeof createGunzip>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const output: Readable = pipeline(raw, inflate, new PassThrough(), () => {});
  try {
    yield* output;
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw badInput(`The body is not valid ${encoding}, which Content-Encoding names.`);
  }
}

function stalled(stallMs: number): DomainError {
  return new DomainError(
    'BODY_STALLED',
    `The body arrived too slowly: less than ${MIN_BYTES_PER_PERIOD} bytes in ${stallMs / 1000} s.`,
  );
}

function tooSlow(deadlineMs: number): DomainError {
  return new DomainError(
    'BODY_STALLED',
    `The body was not complete after ${deadlineMs / 1000} s (UPLOAD_DEADLINE_MS).`,
  );
}

function aborted(cause: unknown): DomainError {
  return new DomainError('BODY_ABORTED', 'The connection ended before the body was complete.', { cause });
}
