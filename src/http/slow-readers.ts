import type { ServerResponse } from 'node:http';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { PIECE_BYTES } from './send-in-pieces.js';

/**
 * Closes connections whose reader does not read its answer, for GraphQL, downloads and the page: unread bytes wait in
 * memory. Answers are sent in small pieces; a reader that takes none of them in a whole period is disconnected.
 */
export function watchSlowReaders({
  periodMs,
  metrics,
}: {
  periodMs: number;
  metrics: Pick<Metrics, 'slowReaders'>;
}): { watch(response: ServerResponse, log: Logger): void; stop(): void } {
  interface Reader {
    log: Logger;
    /** Bytes taken at the last check while more waited, and the number of checks since that number changed. */
    takenBefore: number | null;
    unchangedChecks: number;
  }
  const readers = new Map<ServerResponse, Reader>();
  const timer = setInterval(check, periodMs);
  timer.unref();
  return {
    watch(response, log) {
      readers.set(response, { log, takenBefore: null, unchangedChecks: 0 });
      response.once('close', () => readers.delete(response));
    },
    stop: () => clearInterval(timer),
  };

  function check(): void {
    for (const [response, reader] of readers) {
      const { socket } = response;
      const isWaiting = socket !== null && socket.writableLength > 0;
      if (!isWaiting) {
        reader.takenBefore = null;
        continue;
      }
      const taken = socket.bytesWritten - socket.writableLength;
      // The first check comes less than a period after the first bytes, so it only records the number of bytes.
      reader.unchangedChecks = reader.takenBefore === taken ? reader.unchangedChecks + 1 : 0;
      reader.takenBefore = taken;
      // Node counts a chunk as taken only when the whole chunk was taken.
      const { unchangedChecks } = reader;
      if (unchangedChecks > 0 && unchangedChecks * PIECE_BYTES >= socket.writableLength)
        cut(response, reader);
    }
  }

  function cut(response: ServerResponse, { log }: Reader): void {
    readers.delete(response);
    metrics.slowReaders.inc();
    log.info({ periodMs }, 'the client did not read the answer (ANSWER_STALL_MS); the connection is closed');
    response.destroy();
  }
}
