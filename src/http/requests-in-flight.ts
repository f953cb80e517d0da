import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The requests that a stop waits for: all except event streams, which last as long as their clients. */
export interface RequestsInFlight {
  /** @param work the work for the request, which may take longer than its client waits */
  begin(response: ServerResponse, work: Promise<unknown>): void;
  /**
   * Waits until all have ended; their connections end with them.
   *
   * @param isElsewhereBusy also waits while it returns true: for work that is not a request
   */
  drain(graceMs: number, isElsewhereBusy: () => boolean): Promise<void>;
  /** Waits until event streams have ended too. */
  close(graceMs: number): Promise<void>;
}

/** Poll interval of a stop: Node emits no event when an answer becomes an event stream. */
const POLL_MS = 20;

export function createRequestsInFlight(): RequestsInFlight {
  /** By connection: when it breaks, Node emits no event for answers that are queued behind an earlier one. */
  const unanswered = new Map<Socket, Set<ServerResponse>>();
  const working = new Map<Promise<unknown>, ServerResponse>();
  let isDraining = false;

  return {
    begin(response, work) {
      const open = answersOf(response.req.socket);
      open.add(response);
      response.once('close', () => open.delete(response));
      working.set(work, response);
      const end = () => working.delete(work);
      work.then(end, end);
      if (isDraining) endConnectionWith(response);
    },

    async drain(graceMs, isElsewhereBusy) {
      isDraining = true;
      for (const response of inFlight()) endConnectionWith(response);
      await until(() => !isBusy() && !isElsewhereBusy(), graceMs);
    },

    close: (graceMs) => until(() => [...unanswered.values()].every((answers) => answers.size === 0), graceMs),
  };

  function answersOf(socket: Socket): Set<ServerResponse> {
    const known = unanswered.get(socket);
    if (known !== undefined) return known;
    const answers = new Set<ServerResponse>();
    unanswered.set(socket, answers);
    socket.once('close', () => unanswered.delete(socket));
    return answers;
  }

  function isBusy(): boolean {
    return [...inFlight()].some((response) => !isEventStream(response));
  }

  function* inFlight(): Generator<ServerResponse> {
    for (const answers of unanswered.values()) yield* answers;
    yield* working.values();
  }
}

async function until(isSo: () => boolean, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (!isSo() && performance.now() < end) await sleep(POLL_MS);
}

/** Sends "Connection: close", so that the client's next request opens a new connection, perhaps to another server. */
function endConnectionWith(response: ServerResponse): void {
  if (!response.headersSent) response.shouldKeepAlive = false;
}

function isEventStream(response: ServerResponse): boolean {
  return response.headersSent && String(response.getHeader('Content-Type')).startsWith('text/event-stream');
}
