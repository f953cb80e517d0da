import type { Readable } from 'node:stream';
import { DomainError, naming } from '../errors.js';
import type { BlobStore, IncomingBlob } from '../platform/blobs/blob-store.js';

/** A firmware bundle while it arrives. */
export interface FirmwareBundle {
  filename: string;
  stream: Readable;
  /** Checked after the end of `stream`: whether the transport cut the stream at its limit without an error. */
  truncated(): boolean;
}

/** @throws DomainError TOO_LARGE, STORAGE_FULL, UNAVAILABLE, and whatever the stream throws */
export function receiveBundle(
  bundle: FirmwareBundle,
  { blobs, maxBytes }: { blobs: BlobStore; maxBytes: number },
): Promise<IncomingBlob> {
  return blobs.receive(limited(bundle, maxBytes)).catch(naming('bundle'));
}

/** A refused upload is read to its end and discarded: busboy waits forever on a stream that is not read. */
export function ignoreRest({ stream }: FirmwareBundle): void {
  stream.on('error', () => {}).resume();
}

/** @throws DomainError TOO_LARGE at the first byte over the limit */
async function* limited({ stream, truncated }: FirmwareBundle, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes: Uint8Array = chunk;
    size += bytes.byteLength;
    if (size > maxBytes) break;
    yield bytes;
  }
  if (size <= maxBytes && !truncated()) return;
  throw new DomainError(
    'TOO_LARGE',
    `The bundle is larger than ${maxBytes} bytes (MAX_FIRMWARE_BYTES): pack only the ELF and version.json.`,
  );
}
