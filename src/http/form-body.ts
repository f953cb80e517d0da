import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.js';

/**
 * Refuses the bodies of forms, which are not the dump: a person with a browser or with curl sent them.
 * @throws DomainError UNSUPPORTED_MEDIA_TYPE
 */
export function refuseMultipart(request: IncomingMessage, expected: 'dump' | 'summary' = 'dump'): void {
  if (!isOfType(request, 'multipart/')) return;
  if (expected === 'dump') throw refusal('A multipart form is not the dump');
  throw new DomainError(
    'UNSUPPORTED_MEDIA_TYPE',
    'A multipart form is not the summary: send JSON as the request body, with Content-Type: application/json.',
  );
}

/**
 * `curl -d @FILE` drops the bytes 0, CR and LF. It has the same content type as `curl --data-binary @FILE` and many
 * devices, so the first bytes decide: a dump has zeros there, a text has no other bytes than text. The text of a panic has
 * several lines.
 */
export async function* refuseFormEncoded(
  request: IncomingMessage,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let isFirst = isOfType(request, 'application/x-www-form-urlencoded');
  for await (const chunk of body) {
    if (isFirst && lacksZeros(chunk.subarray(0, HEAD))) {
      throw refusal('The bytes 0, CR and LF of this dump are missing, as curl -d drops them');
    }
    if (isFirst && lacksLines(chunk))
      throw refusal('The line breaks of this text are missing, as curl -d drops them');
    isFirst = false;
    yield chunk;
  }
}

const HEAD = 64;

function lacksZeros(head: Uint8Array): boolean {
  const isText = head.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1b);
  return !isText && !head.includes(0) && !head.includes(0x0a) && !head.includes(0x0d);
}

/** A block of registers follows this heading in lines of its own. */
function lacksLines(chunk: Uint8Array): boolean {
  return Buffer.from(chunk).includes('register dump:') && !chunk.includes(0x0a) && !chunk.includes(0x0d);
}

function isOfType(request: IncomingMessage, type: string): boolean {
  return (request.headers['content-type'] ?? '').trim().toLowerCase().startsWith(type);
}

function refusal(what: string): DomainError {
  return new DomainError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${what}: send the raw core dump or text as the request body, for example with curl --data-binary @FILE and Content-Type: application/octet-stream.`,
  );
}
