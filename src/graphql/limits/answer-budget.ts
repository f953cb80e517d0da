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

/** An answer of this size or more needs a permit, and is made in slices of some milliseconds. */
const LONG_ANSWER_BYTES = 256 * 1024;
/** How long a reader may take for an answer. After that it may be disconnected when others need the memory. */
const READER_TIMEOUT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

/** Closes the connection of a reader that is too slow. */
interface ReaderCutOff {
  cut(): void;
}

/**
 * Counts the bytes of one answer, against its own limit and against the memory that all answers share. An answer
 * that exceeds a limit is refused as a whole: whatever its resolvers request afterwards is omitted.
 */
export interface Answer {
  /** Waits for the permit that a long answer needs. Resolves at once when the answer already has it. */
  acquirePermit(): Promise<void>;
  /** Counts bytes, before they are read where possible. @returns false when the answer is refused */
  admit(bytes: number): boolean;
  /** Counts texts whose sizes are known: long ones wait for the permit. */
  admitTexts(bytes: number): Promise<boolean>;
  /** Slices of time for this answer; null when it is made without a pause. */
  readonly slices: Slices | null;
  /** From now on lists are resolved in slices as well, by an executor that takes the items one by one. */
  sliceLists(): void;
  readonly slicesOfLists: Slices | null;
  /** The error of a refused answer; null otherwise. */
  readonly refusal: GraphQLError | null;
  readonly bytes: number;
  /** The answer is complete. @param delivery closes a slow reader's connection; null when another part does that */
  complete(delivery: ReaderCutOff | null): void;
  /** The reader has received the answer or has disconnected. May be called more than once. */
  release(): void;
}

export interface AnswerMetrics {
  gauge: Metrics['gauge'];
  graphqlRefusals: { inc(labels: { limit: string }): void };
  slowReaders: { inc(): void };
}

export type AnswerBudget = ReturnType<typeof createAnswerBudget>;

/** Limits the memory of answers: of each one, and of all that are being made or wait for their readers. */
export function createAnswerBudget(
  { maxAnswerBytes, maxBytesInFlight }: AnswerLimits,
  {
    uploadPriority,
    metrics,
    readerTimeoutMs = READER_TIMEOUT_MS,
    inFlight = createBytesInFlight(),
  }: {
    uploadPriority: Pick<UploadPriority, 'clear'>;
    metrics: AnswerMetrics;
    readerTimeoutMs?: number;
    /** Bytes that other threads count too. */
    inFlight?: BytesInFlight;
  },
) {
  const queue = createFairQueue();
  const slices = createSlices(uploadPriority);
  /** Answers that are being sent, the oldest first. */
  const reading = new Map<Answer, { since: number; delivery: ReaderCutOff }>();
  metrics.gauge('graphql_answer_bytes', 'Bytes of answers that are being made or sent', () => inFlight.total);

  return {
    /** @param client long answers of different clients are made round robin */
    open(client: string): Answer {
      /** Bytes that the answer has requested, and how many of them are held in memory. */
      let requested = 0;
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
          return requested;
        },
        complete(delivery) {
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
        requested += bytes;
        if (requested > maxAnswerBytes) refuse('answerBytes', overAnswer(requested, maxAnswerBytes));
      }

      function hold(): void {
        if (refusal !== null || isReleased) return;
        const more = requested - held;
        if (inFlight.total + more > maxBytesInFlight) cutSlowReaders(more);
        if (inFlight.total + more > maxBytesInFlight) {
          refuse('answerBytesInFlight', overInFlight(maxBytesInFlight));
          return;
        }
        inFlight.add(more);
        held += more;
      }

      /** A refused answer keeps counting and keeps its last error, which says how much the query asks for. */
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

  /** Readers whose time is over while they hold bytes that other answers need. */
  function cutSlowReaders(needed: number): void {
    const now = performance.now();
    for (const [answer, { since, delivery }] of reading) {
      if (inFlight.total + needed <= maxBytesInFlight || now - since < readerTimeoutMs) return;
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
      `An answer has at most ${max} bytes (GRAPHQL_MAX_ANSWER_BYTES); this one would have ${bytes} or more. Texts ` +
      'and reports count with their stored size, each time that they are selected; ask for fewer at once.',
  });
}

function overInFlight(max: number): GraphQLError {
  return temporaryRefusal(
    'answerBytesInFlight',
    max,
    `Answers of ${max} bytes are being made or sent (GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT); try again.`,
  );
}

function overWaiting(max: number): GraphQLError {
  return temporaryRefusal(
    'waitingAnswers',
    max,
    `${max} other long answers wait to be made; try again, or ask for less at once.`,
  );
}

/** A temporary refusal: the same query can succeed later. */
function temporaryRefusal(limit: Excess['limit'], max: number, message: string): GraphQLError {
  const { extensions } = tooComplex({ limit, max, message });
  const http = { status: 503, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } };
  return new GraphQLError(message, { extensions: { ...extensions, http } });
}
