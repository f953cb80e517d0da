import type { Readable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;
const REST_MS = 5;

/**
 * Discards the rest of a refused request body, a piece at a time with a pause after each, so that other requests are
 * served in between: without pauses, some megabytes would be read in one go. The rate slows no ordinary client.
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
