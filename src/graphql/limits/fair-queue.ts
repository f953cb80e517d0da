/** A client that waits holds a connection and a document; beyond these it must come back later. */
const MAX_WAITING = 100;

/**
 * One permit for large answers, which are made one after another: side by side each would take as long, and all of
 * them their memory. Round robin between clients, however much each of them asks for at once.
 */
export interface FairQueue {
  /**
   * @param client whose requests wait in one line
   * @returns releases the permit, and may be called again without effect; null when too many wait
   */
  acquire(client: string): Promise<() => void> | null;
  readonly maxWaiting: number;
}

export function createFairQueue(maxWaiting = MAX_WAITING): FairQueue {
  /** The client that is served next comes first. */
  const queues = new Map<string, Array<() => void>>();
  let waiting = 0;
  let isTaken = false;

  return {
    maxWaiting,
    acquire(client) {
      if (!isTaken) {
        isTaken = true;
        return Promise.resolve(once(passOn));
      }
      if (waiting >= maxWaiting) return null;
      waiting += 1;
      return new Promise((resolve) => {
        const queue = queues.get(client) ?? [];
        queue.push(() => resolve(once(passOn)));
        queues.set(client, queue);
      });
    },
  };

  function passOn(): void {
    const [next] = queues;
    if (next === undefined) {
      isTaken = false;
      return;
    }
    const [client, queue] = next;
    const begin = queue.shift();
    // Its next request waits until every other client was served.
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
