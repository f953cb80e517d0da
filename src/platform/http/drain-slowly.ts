import type { Readable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;
const REST_MS = 5;

/**
 * Throws away what a refused sender still sends, a piece at a time with a rest after each, so that others get their
 * turns in between: read as fast as it comes, some megabytes are taken in one. The links of honest senders are slower.
 */
export function discard(stream: Readable): void {
  let size = 0;
  stream.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size < PIECE_BYTES) return;
    size = 0;
    stream.pause();
    setTimeout(() => stream.resume(), REST_MS);
  });
}
