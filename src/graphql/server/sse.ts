import { Readable } from 'node:stream';
import type { Plugin } from 'graphql-yoga';
import { between } from '../limits/long-data.js';
import { eventIdOf, type TextResult, textOf } from './result-text.js';

/** Interval of pings: proxies close idle connections. */
const PING_MS = 12_000;
/**
 * Pause between the last event and an end without "complete". graphql-sse's client ignores an end that comes while it
 * still emits events, and then waits forever.
 */
const PAUSE_BEFORE_END_MS = 200;
/** A comment in the syntax of server-sent events. */
const PING = ':\n\n';
const LAST_EVENT = 'event: complete\ndata:\n\n';
const PIECE_BYTES = 16 * 1024;
export const EVENT_STREAM = 'text/event-stream';
export const EVENT_STREAM_HEADERS = {
  'Content-Type': EVENT_STREAM,
  Connection: 'keep-alive',
  // A proxy that changes or keeps the bytes would delay events.
  'Cache-Control': 'no-store, no-transform',
  // Otherwise nginx collects the answer, also its head, until its buffer is full.
  'X-Accel-Buffering': 'no',
  'Content-Encoding': 'none',
};

/**
 * Sends subscriptions as server-sent events, with the same bytes as Yoga (the "distinct connections mode" of GraphQL
 * over SSE). Unlike Yoga it writes each event in one piece, once for all clients with the same answer, and without the
 * layers of web streams, whose cost the benchmark `fanOut` shows.
 */
export function sendEventStreams(pingMs = PING_MS): Plugin & { endAll(): void } {
  const pieces = new WeakMap<TextResult, Buffer>();
  const open = new Set<EventStream>();

  return {
    /** Ends streams without `complete`, which would mean that no more events follow: clients subscribe again. */
    endAll() {
      for (const stream of open) stream.endWithoutComplete();
    },
    onResultProcess({ request, result, setResultProcessor }) {
      if (!isStream(result) || request.headers.get('accept')?.includes(EVENT_STREAM) !== true) return;
      setResultProcessor((_result, { Response }) => {
        const body = new EventStream(result[Symbol.asyncIterator](), pieceOf, pingMs);
        open.add(body);
        body.once('close', () => open.delete(body));
        // The constructor accepts Node's streams, but its types do not say so.
        return Reflect.construct(Response, [body, { status: 200, headers: EVENT_STREAM_HEADERS }]);
      }, EVENT_STREAM);
    },
  };

  function pieceOf(result: TextResult): Buffer {
    const known = pieces.get(result);
    if (known !== undefined) return known;
    const id = eventIdOf(result);
    const line = id === null ? '' : `id: ${id}\n`;
    const piece = Buffer.from(`event: next\n${line}data: ${textOf(result)}\n\n`);
    pieces.set(result, piece);
    return piece;
  }
}

function isStream(result: object): result is AsyncIterable<TextResult> {
  return Symbol.asyncIterator in result;
}

/** The single event of a stream that answers a query. */
export function asOnlyEvent(json: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return between(`${PING}event: next\ndata: `, json, `\n\n${LAST_EVENT}`);
}

/** Errors after which a client should subscribe again: it was too slow, or its token has expired. */
const PASSING: readonly unknown[] = ['RATE_LIMITED', 'UNAUTHENTICATED'];

/** Yoga's result for an iterator that failed, if its client should subscribe again. */
function isOfPassingFailure({ data, errors }: TextResult): boolean {
  return data === undefined && PASSING.includes(errors?.[0]?.extensions.code);
}

/** Reads the next event when the last one was sent, and ends the subscription when the connection closes. */
class EventStream extends Readable {
  readonly #results: AsyncIterator<TextResult>;
  readonly #pieceOf: (result: TextResult) => Buffer;
  readonly #pings: NodeJS.Timeout;
  #isAsking = false;
  #isOver = false;
  #hasEnded = false;
  #lastEventAt = Number.NEGATIVE_INFINITY;

  constructor(results: AsyncIterator<TextResult>, pieceOf: (result: TextResult) => Buffer, pingMs: number) {
    super();
    this.#results = results;
    this.#pieceOf = pieceOf;
    // The first one at once, for browsers that wait for a first byte; later ones only while no other data waits.
    this.push(PING);
    this.#pings = setInterval(() => {
      if (this.readableLength === 0 && !this.readableEnded) this.push(PING);
    }, pingMs);
  }

  override _read(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#results.next().then(
      ({ done, value }) => this.#take(done === true ? null : value),
      // A client that sees the end without "complete" subscribes again; the protocol cannot carry a reason.
      () => this.endWithoutComplete(),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#pings);
    const ended = this.#results.return?.() ?? Promise.resolve();
    ended.then(
      () => callback(error),
      () => callback(error),
    );
  }

  #take(result: TextResult | null): void {
    if (this.destroyed || this.#isOver) return;
    this.#isAsking = false;
    if (result !== null && isOfPassingFailure(result)) {
      // A client that sees the end without "complete" subscribes again, with a new token if it has one. An event with
      // the error would be the end for some: Relay gives up a subscription at an error without data.
      this.endWithoutComplete();
      return;
    }
    if (result !== null) {
      this.#lastEventAt = performance.now();
      const piece = this.#pieceOf(result);
      // In pieces, the unit in which a reader's progress is measured.
      for (let from = 0; from < piece.length; from += PIECE_BYTES) {
        this.push(piece.subarray(from, from + PIECE_BYTES));
      }
      return;
    }
    this.push(LAST_EVENT);
    this.#end();
  }

  /** Ends without "complete", and with a pause after the last event. */
  endWithoutComplete(): void {
    this.#isOver = true;
    const sinceLast = performance.now() - this.#lastEventAt;
    if (sinceLast >= PAUSE_BEFORE_END_MS) this.#end();
    else setTimeout(() => this.#end(), PAUSE_BEFORE_END_MS - sinceLast);
  }

  #end(): void {
    this.#isOver = true;
    clearInterval(this.#pings);
    if (!this.destroyed && !this.#hasEnded) this.push(null);
    this.#hasEnded = true;
  }
}
