import type { ServerResponse } from 'node:http';

/** The transport of one answer to its reader. */
export interface Delivery {
  /** Calls back when the reader has received the answer or has disconnected. */
  whenDone(work: () => void): void;
  /** Closes the connection. */
  cut(): void;
}

export function deliveryBy(response: ServerResponse): Delivery {
  return {
    whenDone(work) {
      if (response.closed) work();
      else response.once('close', work);
    },
    cut: () => void response.destroy(),
  };
}
