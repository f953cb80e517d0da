import type { ServerResponse } from 'node:http';

/** The way of one answer to its reader. */
export interface Delivery {
  /** Calls back once the reader has taken the answer, or is gone. */
  whenDone(work: () => void): void;
  /** Ends the connection. */
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
