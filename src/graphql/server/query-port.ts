import type { MessagePort } from 'node:worker_threads';
import type { Person } from '../../auth/principal.js';
import type { ReadingSource } from '../../platform/database/types.js';
import type { AnswerLimits } from '../limits/answer-budget.js';
import type { SentError } from './sent-errors.js';

/** What the thread of queries is started with. */
export interface QueryThreadData {
  database: ReadingSource;
  limits: AnswerLimits;
  /** How long a reader may take, as `createAnswerBudget` takes it. */
  patienceMs?: number;
  /** Bytes of answers that are being made or sent, as `createBytesInFlight` counts them. */
  inFlight: Int32Array;
  /** With which download links are signed; null where nobody needs a link. */
  linkSecret: Uint8Array | null;
}

/** A query that has been parsed, measured and found valid. */
export interface QueryTask {
  document: string;
  operationName: string | null;
  variables: Readonly<Record<string, unknown>>;
  cost: number;
  /** What the time is for all of it. */
  at: Date;
  person: Person;
  address: string;
  requestId: string;
  /** Takes `NextPiece`, gives pieces; closed by whoever has enough of it. */
  port: MessagePort;
}

export interface QueryOutcome {
  /** JSON of the answer's `data`, or its beginning; null when there is none. */
  data: string | null;
  /** False: what is missing of it comes through the port, piece by piece. */
  isWhole: boolean;
  errors: SentError[] | null;
  /** The limit for which it was refused. */
  refusedFor: string | null;
}

export const NEXT_PIECE = 'next';
/** Its reader has had time enough: others need the memory. */
export const CUT = 'cut';
/** UTF-8, and null at the end. */
export type Piece = Uint8Array | null | typeof CUT;
