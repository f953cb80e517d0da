import { DomainError } from '../errors.js';

/**
 * Events within this process: each event goes to every current subscriber.
 *
 * Why not Yoga's pub/sub: its subscribers start to listen with their first `next()`, and a slow subscriber throws in
 * the publisher. Here listening starts with `subscribe`. A subscriber that falls too far behind is ended, so that it
 * reconnects and reads the current state instead of filling the memory.
 */
export interface EventChannel<Event> {
  publish(event: Event): void;
  /**
   * Ends when the iterator is returned, and with `close`; throws BUSY, after the buffered events, when the subscriber
   * is too slow.
   */
  subscribe(isWanted: (event: Event) => boolean): AsyncIterableIterator<Event>;
  subscriberCount(): number;
  /** Ends every subscription. */
  close(): void;
}

/** Most events that wait for one subscriber: small rows, so about a megabyte. */
const MAX_BACKLOG = 2_000;

const fellBehind = () =>
  new DomainError('BUSY', `More than ${MAX_BACKLOG} events waited for this subscriber; subscribe again.`);

export function createEventChannel<Event>(): EventChannel<Event> {
  const subscribers = new Set<Subscriber<Event>>();
  return {
    publish(event) {
      for (const subscriber of subscribers) subscriber.offer(event);
    },
    subscribe(isWanted) {
      const subscriber: Subscriber<Event> = new Subscriber(isWanted, () => subscribers.delete(subscriber));
      subscribers.add(subscriber);
      return subscriber;
    },
    subscriberCount: () => subscribers.size,
    close() {
      for (const subscriber of subscribers) void subscriber.return();
    },
  };
}

class Subscriber<Event> implements AsyncIterableIterator<Event> {
  readonly #isWanted: (event: Event) => boolean;
  readonly #onEnd: () => void;
  #backlog: Event[] = [];
  #waiting: Array<(result: IteratorResult<Event>) => void> = [];
  #hasEnded = false;
  #isBehind = false;

  constructor(isWanted: (event: Event) => boolean, onEnd: () => void) {
    this.#isWanted = isWanted;
    this.#onEnd = onEnd;
  }

  offer(event: Event): void {
    if (!this.#isWanted(event)) return;
    const next = this.#waiting.shift();
    if (next !== undefined) next({ done: false, value: event });
    else if (this.#backlog.push(event) > MAX_BACKLOG) {
      this.#isBehind = true;
      this.#end();
    }
  }

  /** Not `async`: that would create a second promise for each event of each subscriber. */
  next(): Promise<IteratorResult<Event>> {
    const value = this.#backlog.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isBehind) {
      this.#isBehind = false;
      return Promise.reject(fellBehind());
    }
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#backlog = [];
    this.#isBehind = false;
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
    for (const resolve of this.#waiting) resolve({ done: true, value: undefined });
    this.#waiting = [];
  }
}
