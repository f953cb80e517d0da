import type { IncomingMessage, ServerResponse } from 'node:http';
import { badInput } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import { sendJson } from '../platform/http/send-json.js';
import type { StoredCrash } from './store-crash.js';

/** 201: the bytes and the row are durable. */
export function sendStored(response: ServerResponse, { coredump, device, isNewDevice }: StoredCrash): void {
  sendJson(response, 201, {
    status: 'ok',
    filename: coredump.filename,
    coredumpId: encodeGlobalId('Coredump', coredump.id),
    ...(isNewDevice ? { device: { key: device.key } } : {}),
  });
}

/** draft-ietf-httpapi-idempotency-key-header: a string in quotes; bare ones are common. */
export function readIdempotencyKey(request: IncomingMessage): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const key = String(header).replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw badInput('Idempotency-Key must be 1 to 255 printable characters.');
  return key;
}
