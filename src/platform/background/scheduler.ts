import type { Logger } from '../logger.js';

/** Runs work now and periodically. A failure is logged, and the work runs again after its period. */
export interface Scheduler {
  /**
   * @param failure log message for a failure, such as "old audit events could not be removed"
   * @returns resolves when the work has ended, also when it failed
   */
  now(failure: string, work: Work): Promise<void>;
  /** @param failure as for `now` */
  every(periodMs: number, failure: string, work: Work): void;
  /** From now on no work starts, and what still fails is not logged: it fails because of the stop. */
  stop(): void;
  /** Resolves when no work is running. */
  idle(): Promise<void>;
}

type Work = () => Promise<unknown>;

export function createScheduler(log: Pick<Logger, 'warn'>): Scheduler {
  const timers: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();
  let isStopped = false;

  return {
    now,
    every(periodMs, failure, work) {
      const timer = setInterval(() => void now(failure, work), periodMs);
      timer.unref();
      timers.push(timer);
    },
    stop() {
      isStopped = true;
      for (const timer of timers) clearInterval(timer);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };

  async function now(failure: string, work: Work): Promise<void> {
    if (isStopped) return;
    const run = work().then(
      () => {},
      (error: unknown) => {
        if (!isStopped) log.warn({ err: error }, failure);
      },
    );
    running.add(run);
    await run;
    running.delete(run);
  }
}
