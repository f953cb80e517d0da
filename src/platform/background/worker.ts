import type { Logger } from '../logger.js';

/** Background work that polls: when it is woken, and periodically. */
export interface Worker {
  /** Name for logs, such as "sending alerts". */
  readonly name: string;
  /** Polls now, and from then on every `everyMs`. */
  start(): void;
  /** Polls at once, or again after the running poll, because there may be work. Also starts the worker. */
  wake(): void;
  /** Resolves when no poll is running. */
  idle(): Promise<void>;
  /** Starts no other poll, aborts the running one by its signal, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** After errors the pauses double up to this value, or to `everyMs` if that is longer. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Runs one poll at a time. A failed poll is repeated after a pause that grows with each consecutive failure; only the
 * first of them is logged.
 *
 * @param look does the available work; ends early when `stop` is aborted
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
