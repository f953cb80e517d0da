/** Waiting requests in total. Each holds a connection and a document; more are refused and the client must retry. */
const MAX_WAITING = 100;

/**
 * One permit for large answers, so that they are made one after another: in parallel each would take as long, and all
 * of them would use memory. Clients are served round robin, however many requests each of them sends.
 */
export interface FairQueue {
  /**
   * @param client the requests of one client wait in one queue
   * @returns a function that releases the permit and may be called repeatedly; null when too many requests wait
   */
  acquire(client: string): Promise<() => void> | null;
  readonly maxWaiting: number;
}

export function createFairQueue(maxWaiting = MAX_WAITING): FairQueue {
  /** By client; the client that is served next comes first. */
  const queues = new Map<string, Array<() => void>>();
  let waiting = 0;
  let isTaken = false;

  return {
    maxWaiting,
    acquire(client) {
      if (!isTaken) {
        isTaken = true;
        return Promise.resolve(once(grantNext));
      }
      if (waiting >= maxWaiting) return null;
      waiting += 1;
      return new Promise((resolve) => {
        const queue = queues.get(client) ?? [];
        queue.push(() => resolve(once(grantNext)));
        queues.set(client, queue);
      });
    },
  };

  function grantNext(): void {
    const [next] = queues;
    if (next === undefined) {
      isTaken = false;
      return;
    }
    const [client, queue] = next;
    const begin = queue.shift();
    // The next request of this client waits until every other client was served.
    queues.delete(client);
    if (queue.length > 0) queues.set(client, queue);
    waiting -= 1;
    begin?.();
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
