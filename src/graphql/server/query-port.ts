/**
 * The protocol between the main thread and the query thread, and both ends of the port between them.
 *
 * 1. Main sends a `QueryTask` with a new port.
 * 2. The thread answers with a `QueryOutcome`: the errors, and the data as JSON, or its beginning where it is long.
 * 3. Main requests the rest of a long answer through the port, piece by piece: `NEXT_PIECE`, answered by a `Piece`.
 * 4. Main closes the port when the reader has received the answer or has disconnected; the thread then releases it.
 *
 * Before that the thread may send `CUT` at any time: other answers need the memory.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Person } from '../../auth/principal.js';
import type { MarkdownLinks } from '../../coredumps/markdown.js';
import type { ReadingSource } from '../../platform/database/types.js';
import type { AnswerLimits } from '../limits/answer-budget.js';
import type { LongData } from '../limits/long-data.js';
import type { Delivery } from './delivery.js';
import type { SentError } from './sent-errors.js';

/** Start data of the query thread. */
export interface QueryThreadData {
  database: ReadingSource;
  limits: AnswerLimits;
  /** How long a reader may take, as `createAnswerBudget` takes it. */
  readerTimeoutMs?: number;
  /** Bytes of answers that are being made or sent, as `createBytesInFlight` counts them. */
  inFlight: Int32Array;
  /** Key for signing download links; null where links need no signature. */
  linkSecret: Uint8Array | null;
  /** The beginning of links; null when it is not known. */
  publicUrl: string | null;
  /** What the links in a crash's Markdown begin with. */
  markdownLinks: MarkdownLinks;
}

/** A query that has been parsed, measured and validated. */
export interface QueryTask {
  document: string;
  operationName: string | null;
  variables: Readonly<Record<string, unknown>>;
  cost: number;
  /** The current time for the whole query. */
  at: Date;
  person: Person;
  address: string;
  requestId: string;
  port: MessagePort;
}

export interface QueryOutcome {
  /** JSON of the answer's `data`, or its beginning; null when there is none. */
  data: string | null;
  /** False: the rest follows through the port. */
  isWhole: boolean;
  errors: SentError[] | null;
  /** The limit for which the answer was refused. */
  refusedFor: string | null;
}

const NEXT_PIECE = 'next';
const CUT = 'cut';
/** UTF-8; null at the end. */
type Piece = Uint8Array | null | typeof CUT;

/** Characters sent per message; a shorter answer is sent at once. */
const PIECE_CHARACTERS = 64 * 1024;

/**
 * The thread's end: sends a short answer, or the beginning of a long one and then the rest on request.
 *
 * @param json of the answer's data, in pieces of any size
 */
export function sendData(port: MessagePort, json: Iterable<string>): Pick<QueryOutcome, 'data' | 'isWhole'> {
  const pieces = largePieces(json);
  const data = nextOf(pieces) ?? '';
  let following = nextOf(pieces);
  if (following === null) return { data, isWhole: true };
  port.on('message', (message: unknown) => {
    if (message !== NEXT_PIECE) return;
    if (following === null) {
      port.postMessage(null satisfies Piece);
      return;
    }
    const bytes = new TextEncoder().encode(following);
    following = nextOf(pieces);
    port.postMessage(bytes satisfies Piece, [bytes.buffer]);
  });
  return { data, isWhole: false };
}

/** The thread's end: the delivery of an answer, whose reader is connected to the main thread. */
export function deliveryThrough(port: MessagePort): Delivery {
  let isClosed = false;
  port.once('close', () => {
    isClosed = true;
  });
  return {
    whenDone(work) {
      if (isClosed) work();
      else port.once('close', work);
    },
    cut() {
      port.postMessage(CUT satisfies Piece);
      port.close();
    },
  };
}

/**
 * The main thread's end: the rest of a long answer, read at the speed of its reader.
 *
 * @param onCut called when the thread has discarded the answer in favour of others
 */
export function receiveRest(port: MessagePort, delivery: Delivery, onCut: () => void): LongData {
  let waiting: { resolve: (piece: Uint8Array | null) => void; reject: (error: Error) => void } | null = null;
  let isClosed = false;
  let isBeingRead = false;

  port.on('message', (piece: Piece) => {
    if (piece === CUT) {
      onCut();
      delivery.cut();
      return;
    }
    if (piece === null) isBeingRead = false;
    settle()?.resolve(piece);
  });
  port.once('close', () => {
    isClosed = true;
    // The error makes sure that nobody takes the received part for the whole answer.
    if (isBeingRead) delivery.cut();
    settle()?.reject(endedEarly());
  });
  delivery.whenDone(() => {
    isBeingRead = false;
    port.close();
  });

  return {
    next() {
      isBeingRead = true;
      if (isClosed) {
        delivery.cut();
        return Promise.reject(endedEarly());
      }
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        port.postMessage(NEXT_PIECE);
      });
    },
  };

  function settle() {
    const settled = waiting;
    waiting = null;
    return settled;
  }
}

function endedEarly(): Error {
  return new Error('the answer broke off before its end');
}

function* largePieces(pieces: Iterable<string>): Generator<string> {
  let large = '';
  for (const piece of pieces) {
    large += piece;
    if (large.length < PIECE_CHARACTERS) continue;
    yield large;
    large = '';
  }
  if (large !== '') yield large;
}

function nextOf(pieces: Iterator<string>): string | null {
  const { done, value } = pieces.next();
  return done === true ? null : value;
}
