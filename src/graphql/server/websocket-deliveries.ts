import type { WebSocket } from 'ws';
import type { Delivery } from './delivery.js';

/** Tracks the answers on WebSockets until they have been sent. */
export interface Deliveries {
  /** The delivery of the answer to operation `id`. */
  of(socket: WebSocket, id: string): Delivery;
  /** To be called when the answer has been sent. */
  done(socket: WebSocket, id: string): void;
}

/** Callbacks for the time when an answer has been sent, by the id of its operation. */
type Waiting = Map<string, Array<() => void>>;

export function createDeliveries(): Deliveries {
  const waitingOn = new WeakMap<WebSocket, Waiting>();
  return {
    of(socket, id) {
      const waiting = waitingOn.get(socket) ?? begin(socket);
      return {
        whenDone(work) {
          if (socket.readyState === socket.CLOSED) work();
          else waiting.set(id, [...(waiting.get(id) ?? []), work]);
        },
        cut: () => socket.terminate(),
      };
    },
    done: (socket, id) => settle(waitingOn.get(socket), id),
  };

  function begin(socket: WebSocket): Waiting {
    const waiting: Waiting = new Map();
    waitingOn.set(socket, waiting);
    socket.once('close', () => {
      for (const id of waiting.keys()) settle(waiting, id);
    });
    return waiting;
  }
}

function settle(waiting: Waiting | undefined, id: string): void {
  const works = waiting?.get(id) ?? [];
  waiting?.delete(id);
  for (const work of works) work();
}
