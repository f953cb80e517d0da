import type { Readable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;
const REST_MS = 5;

/**
 * Discards what a refused sender still sends, a piece at a time with a pause after each, so that other requests are served
 * in between: read as fast as it comes, some megabytes would be taken at one go. The pace slows no honest sender.
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
