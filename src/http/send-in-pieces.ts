import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/** The unit in which a reader's progress is measured: see `slow-readers.ts`. */
export const PIECE_BYTES = 16 * 1024;

/** Ends an answer with a body that may be long, at the speed of its reader. */
export function sendInPieces(response: ServerResponse, body: Buffer): void {
  if (body.length <= PIECE_BYTES) response.end(body);
  else Readable.from(piecesOf(body), { objectMode: false, highWaterMark: PIECE_BYTES }).pipe(response);
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE_BYTES) yield body.subarray(from, from + PIECE_BYTES);
}
