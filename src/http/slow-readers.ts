import type { ServerResponse } from 'node:http';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { PIECE_BYTES } from './send-in-pieces.js';

/**
 * Cuts readers of answers, downloads and of the page that take nothing: what they do not take waits in memory. Answers
 * are sent in small pieces, and a reader that has not taken one of them in a whole period is cut.
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
    /** Bytes that the reader had taken at the last check, while more waited; and for how many checks they were the same. */
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
      // The first check comes at any time after the first bytes, so it only takes the measure.
      reader.unchangedChecks = reader.takenBefore === taken ? reader.unchangedChecks + 1 : 0;
      reader.takenBefore = taken;
      // Node counts a chunk as taken only when all of it was.
      const { unchangedChecks } = reader;
      if (unchangedChecks > 0 && unchangedChecks * PIECE_BYTES >= socket.writableLength)
        cut(response, reader);
    }
  }

  function cut(response: ServerResponse, { log }: Reader): void {
    readers.delete(response);
    metrics.slowReaders.inc();
    log.info({ periodMs }, 'the answer was not read (ANSWER_STALL_MS); its connection is closed');
    response.destroy();
  }
}
