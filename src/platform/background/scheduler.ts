import type { Logger } from '../logger.js';

/** Runs work periodically. A failure is logged, and the work runs again after its period. */
export interface Scheduler {
  /** @param failure log message for a failure, such as "old audit events could not be removed" */
  every(periodMs: number, failure: string, work: () => Promise<unknown>): void;
  stop(): void;
}

export function createScheduler(log: Logger): Scheduler {
  const timers: NodeJS.Timeout[] = [];
  return {
    every(periodMs, failure, work) {
      const timer = setInterval(() => {
        work().catch((error: unknown) => log.warn({ err: error }, failure));
      }, periodMs);
      timer.unref();
      timers.push(timer);
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
