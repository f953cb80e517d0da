import type { Logger } from '../logger.js';

/** Background work that looks for something to do: when it is woken, and every so often. */
export interface Worker {
  /** What it does, for logs and lists: "sending alerts". */
  readonly name: string;
  /** Looks now, and from then on every `everyMs`. */
  start(): void;
  /** There may be something to do: looks at once, or once more when the running look has ended. Also starts it. */
  wake(): void;
  /** Resolves when no look runs. */
  idle(): Promise<void>;
  /** Begins no other look, tells the running one by its signal, and resolves when that has ended. */
  stop(): Promise<void>;
}

/** After errors the pauses double up to this, or to `everyMs` where that is longer. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * One look at a time. A look that fails is repeated after a pause that grows with each failure in a row; the first of
 * them is logged.
 *
 * @param look does what there is to do; ends early when `stop` is aborted
 */
export function createWorker({
  name,
  everyMs,
  look,
  log,
}: {
  name: string;
  everyMs: number;
  look: (stop: AbortSignal) => Promise<void>;
  log: Pick<Logger, 'error'>;
}): Worker {
  const stop = new AbortController();
  let running: Promise<void> | null = null;
  let isWanted = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  return {
    name,
    start: wake,
    wake,
    idle: async () => {
      await running;
    },
    async stop() {
      stop.abort();
      clearTimeout(timer);
      await running;
    },
  };

  function wake(): void {
    isWanted = true;
    if (stop.signal.aborted) return;
    running ??= lookWhileWanted().finally(() => {
      running = null;
      clearTimeout(timer);
      if (isWanted) wake();
      else if (!stop.signal.aborted) timer = setTimeout(wake, pauseMs()).unref();
    });
  }

  async function lookWhileWanted(): Promise<void> {
    while (isWanted && !stop.signal.aborted) {
      isWanted = false;
      try {
        await look(stop.signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) log.error({ err: error, worker: name }, `${name} failed; it is tried again`);
      }
    }
  }

  function pauseMs(): number {
    return Math.min(everyMs * 2 ** failures, Math.max(everyMs, LONGEST_PAUSE_MS));
  }
}
