/** Who waits holds a connection and a document; more than these are told to come back. */
const MAX_WAITING = 100;

/**
 * Large answers are made one after another: side by side each would take as long, and all of them their memory. Clients
 * take turns, whatever each of them asks for at once.
 */
export interface Turns {
  /**
   * @param client who takes turns with the others
   * @returns to be called once at the turn's end; null when too many wait
   */
  take(client: string): Promise<() => void> | null;
  readonly maxWaiting: number;
}

export function createTurns(maxWaiting = MAX_WAITING): Turns {
  /** In the order of the clients' turns. */
  const queues = new Map<string, Array<() => void>>();
  let waiting = 0;
  let isTaken = false;

  return {
    maxWaiting,
    take(client) {
      if (!isTaken) {
        isTaken = true;
        return Promise.resolve(once(pass));
      }
      if (waiting >= maxWaiting) return null;
      waiting += 1;
      return new Promise((resolve) => {
        const queue = queues.get(client) ?? [];
        queue.push(() => resolve(once(pass)));
        queues.set(client, queue);
      });
    },
  };

  function pass(): void {
    const [next] = queues;
    if (next === undefined) {
      isTaken = false;
      return;
    }
    const [client, queue] = next;
    const begin = queue.shift();
    // To the end of the line, for the others' sake.
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
