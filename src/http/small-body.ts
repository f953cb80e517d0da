import type { IncomingMessage } from 'node:http';
import { badInput, type DomainError } from '../errors.js';
import { hasBody, readBody } from './body.js';

/** A body of some KiB arrives in a few packets. */
const BODY_DEADLINE_MS = 30_000;

/**
 * The whole body as text, for JSON of devices.
 * @param options.tooLarge for a body of more than `maxBytes`: nothing after them is read
 * @param options.notUtf8 what is wrong with a body that is not UTF-8, in a sentence
 * @throws DomainError `tooLarge`, BAD_USER_INPUT, and whatever `readBody` throws
 */
export async function readSmallBody(
  request: IncomingMessage,
  {
    maxBytes,
    tooLarge,
    notUtf8,
    stallMs,
    signal,
  }: {
    maxBytes: number;
    tooLarge: () => DomainError;
    notUtf8: string;
    stallMs: number;
    signal: AbortSignal;
  },
): Promise<string> {
  // Most boot reports are a query string alone; reading no body costs more than the rest of a report.
  if (!hasBody(request)) return '';
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of readBody(request, { stallMs, deadlineMs: BODY_DEADLINE_MS, signal })) {
    size += part.byteLength;
    if (size > maxBytes) throw tooLarge();
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw badInput(notUtf8);
  }
}
