/**
 * `count` places to work in, and a line of at most `maxWaiting` before them. piscina has a queue of its own, but its
 * limit does not hold for tasks with an abort signal (5.3.2), and a deadline should run from the work's start.
 */
export function createSlots({ count, maxWaiting }: { count: number; maxWaiting: number }) {
  let free = count;
  const line: Array<() => void> = [];

  return {
    /**
     * Waits for a slot.
     * @returns what gives the slot back, or why there is none: the line is full, or the caller left it
     */
    take(left: AbortSignal): Promise<(() => void) | 'full' | 'left'> {
      if (left.aborted) return Promise.resolve('left');
      if (free > 0) {
        free -= 1;
        return Promise.resolve(giveBack);
      }
      if (line.length >= maxWaiting) return Promise.resolve('full');
      return new Promise((resolve) => {
        const enter = () => {
          left.removeEventListener('abort', leave);
          resolve(giveBack);
        };
        const leave = () => {
          line.splice(line.indexOf(enter), 1);
          resolve('left');
        };
        line.push(enter);
        left.addEventListener('abort', leave, { once: true });
      });
    },
  };

  /** To be called once by each holder. The next in the line takes the slot over. */
  function giveBack(): void {
    const next = line.shift();
    if (next === undefined) free += 1;
    else next();
  }
}
