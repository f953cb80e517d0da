import { GraphQLError } from 'graphql';
import type { Metrics } from '../../platform/metrics.js';
import type { UploadPriority } from '../../platform/upload-priority.js';
import type { Excess } from './argument-limits.js';
import { type BytesInFlight, createBytesInFlight } from './bytes-in-flight.js';
import { tooComplex } from './document-limits.js';
import { createFairQueue } from './fair-queue.js';
import { createSlices, type Slices } from './time-slices.js';

export interface AnswerLimits {
  /** Bytes of one answer. */
  readonly maxAnswerBytes: number;
  /** Bytes of all answers that are being made or sent. */
  readonly maxBytesInFlight: number;
}

/** From this size on an answer needs a permit, and is made in slices: some milliseconds of work. */
const LONG_ANSWER_BYTES = 256 * 1024;
/** A reader has so long to take an answer before it may be cut off in favour of others. */
const PATIENCE_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

/** Ends the connection of a reader who is too slow. */
interface CutOff {
  cut(): void;
}

/**
 * What one answer may hold, and what it holds of the memory that all answers share. As soon as it asks for too much, the
 * whole answer is refused: whatever its resolvers ask for from then on is left out.
 */
export interface Answer {
  /** Waits for the permit that a long answer needs, unless it has it already. */
  acquirePermit(): Promise<void>;
  /** Counts bytes, before they are read where that can be. @returns false when it is refused */
  admit(bytes: number): boolean;
  /** The same for texts whose sizes are known: long ones wait for the permit. */
  admitTexts(bytes: number): Promise<boolean>;
  /** Null for answers that are made without a pause. */
  readonly slices: Slices | null;
  /** From now on lists are resolved in slices as well, by an executor that takes items one by one. */
  sliceLists(): void;
  readonly slicesOfLists: Slices | null;
  /** Why it is refused. */
  readonly refusal: GraphQLError | null;
  readonly bytes: number;
  /** It is complete, and takes no more time. @param delivery how its reader is cut off; null when another part knows it */
  made(delivery: CutOff | null): void;
  /** Its reader has it, or is gone. May be called more than once. */
  release(): void;
}

export interface AnswerMetrics {
  gauge: Metrics['gauge'];
  graphqlRefusals: { inc(labels: { limit: string }): void };
  slowReaders: { inc(): void };
}

export type AnswerBudget = ReturnType<typeof createAnswerBudget>;

/** Bounds the memory of answers: each by itself, and all that are being made or wait for their readers together. */
export function createAnswerBudget(
  { maxAnswerBytes, maxBytesInFlight }: AnswerLimits,
  {
    uploadPriority,
    metrics,
    patienceMs = PATIENCE_MS,
    inFlight = createBytesInFlight(),
  }: {
    uploadPriority: Pick<UploadPriority, 'clear'>;
    metrics: AnswerMetrics;
    patienceMs?: number;
    /** What other threads count as well. */
    inFlight?: BytesInFlight;
  },
) {
  const queue = createFairQueue();
  const slices = createSlices(uploadPriority);
  /** Answers on their way to their readers, the oldest first. */
  const reading = new Map<Answer, { since: number; delivery: CutOff }>();
  metrics.gauge('graphql_answer_bytes', 'Bytes of answers that are being made or sent', () => inFlight.total);

  return {
    /** @param client long answers of different clients are made round robin */
    open(client: string): Answer {
      /** All that it asked for; what of it is held in memory. */
      let asked = 0;
      let held = 0;
      let refusal: GraphQLError | null = null;
      let isReleased = false;
      let permit: Promise<void> | null = null;
      let releasePermit = () => {};
      let slicesOfLists: Slices | null = null;

      const answer: Answer = {
        acquirePermit() {
          permit ??= acquire();
          return permit;
        },
        admit(bytes) {
          count(bytes);
          hold();
          return refusal === null && !isReleased;
        },
        async admitTexts(bytes) {
          count(bytes);
          if (refusal === null && bytes >= LONG_ANSWER_BYTES) await answer.acquirePermit();
          hold();
          return refusal === null && !isReleased;
        },
        get slices() {
          return permit === null ? null : slices;
        },
        sliceLists() {
          slicesOfLists = slices;
        },
        get slicesOfLists() {
          return slicesOfLists;
        },
        get refusal() {
          return refusal;
        },
        get bytes() {
          return asked;
        },
        made(delivery) {
          releasePermit();
          if (refusal !== null) releaseBytes();
          else if (!isReleased && held > 0 && delivery !== null)
            reading.set(answer, { since: performance.now(), delivery });
        },
        release() {
          isReleased = true;
          releasePermit();
          releaseBytes();
        },
      };
      return answer;

      async function acquire(): Promise<void> {
        const acquired = queue.acquire(client);
        if (acquired === null) {
          refuse('waitingAnswers', overWaiting(queue.maxWaiting));
          return;
        }
        releasePermit = await acquired;
        if (isReleased) releasePermit();
      }

      function count(bytes: number): void {
        asked += bytes;
        if (asked > maxAnswerBytes) refuse('answerBytes', overAnswer(asked, maxAnswerBytes));
      }

      function hold(): void {
        if (refusal !== null || isReleased) return;
        const more = asked - held;
        if (inFlight.total + more > maxBytesInFlight) cutSlowReaders(more);
        if (inFlight.total + more > maxBytesInFlight) {
          refuse('answerBytesInFlight', overInFlight(maxBytesInFlight));
          return;
        }
        inFlight.add(more);
        held += more;
      }

      /** An answer that is too large goes on counting, and the last error stays: it says how much the query asks for. */
      function refuse(limit: string, error: GraphQLError): void {
        if (refusal === null) metrics.graphqlRefusals.inc({ limit });
        refusal = error;
        releaseBytes();
      }

      function releaseBytes(): void {
        inFlight.add(-held);
        held = 0;
        reading.delete(answer);
      }
    },

    bytesInFlight: () => inFlight.total,
  };

  /** Readers that had time enough, and still hold bytes that others need. */
  function cutSlowReaders(needed: number): void {
    const now = performance.now();
    for (const [answer, { since, delivery }] of reading) {
      if (inFlight.total + needed <= maxBytesInFlight || now - since < patienceMs) return;
      metrics.slowReaders.inc();
      answer.release();
      delivery.cut();
    }
  }
}

function overAnswer(bytes: number, max: number): GraphQLError {
  return tooComplex({
    limit: 'answerBytes',
    max,
    message:
      `An answer has at most ${max} bytes (GRAPHQL_MAX_ANSWER_BYTES); this one would have ${bytes} or more. Texts and ` +
      'reports count by their stored size, each time that they are asked for: ask for fewer at once.',
  });
}

function overInFlight(max: number): GraphQLError {
  return passing(
    'answerBytesInFlight',
    max,
    `Answers of ${max} bytes are being made or sent (GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT); try again.`,
  );
}

function overWaiting(max: number): GraphQLError {
  return passing(
    'waitingAnswers',
    max,
    `${max} other long answers wait to be made; try again, or ask for less at once.`,
  );
}

/** Not the query's fault: the same query will be answered later. */
function passing(limit: Excess['limit'], max: number, message: string): GraphQLError {
  const { extensions } = tooComplex({ limit, max, message });
  const http = { status: 503, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } };
  return new GraphQLError(message, { extensions: { ...extensions, http } });
}
