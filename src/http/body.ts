import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { badInput, DomainError } from '../errors.js';
import { discard } from '../platform/http/drain-slowly.js';

/** The least that a sender must send in each period, unless less is left: slower ones only hold a socket. */
const MIN_BYTES_PER_PERIOD = 1_024;

/** How long a refused sender may take to read its answer while what it still sends is thrown away. */
const LINGER_MS = 2_000;

export interface BodyOptions {
  /** A body must bring at least 1 KiB, or its rest, in each period of this length. */
  stallMs: number;
  /** A body must have come as a whole after this time. */
  deadlineMs: number;
  signal: AbortSignal;
}

/**
 * The bytes of a request body as they come, with its compression undone.
 *
 * @param options.signal aborted when the connection turns out not to speak proper HTTP
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

/** Whether anything can follow the head of the request at all. */
export function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

/**
 * After a refusal that left the body unread, with the answer written but not ended: throws away what still comes
 * until the sender has finished or has had the time to see the answer, and only then ends it, which closes the
 * connection. Closing with unread bytes in the socket would reset it and might take the answer with it.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  const timer = setTimeout(end, LINGER_MS);
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
    throw badInput(`The body is not what Content-Encoding: ${encoding} says.`);
  }
}

function stalled(stallMs: number): DomainError {
  return new DomainError(
    'BODY_STALLED',
    `The body came too slowly: less than ${MIN_BYTES_PER_PERIOD} bytes in ${stallMs / 1000} s.`,
  );
}

function tooSlow(deadlineMs: number): DomainError {
  return new DomainError(
    'BODY_STALLED',
    `The body had not come as a whole after ${deadlineMs / 1000} s (UPLOAD_DEADLINE_MS).`,
  );
}

function aborted(cause: unknown): DomainError {
  return new DomainError('BODY_ABORTED', 'The connection ended before the whole body had come.', { cause });
}
