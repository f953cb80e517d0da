import type { Logger } from '../logger.js';

/** Work that comes back by itself while the server runs. A chore that fails is logged, and runs again after its period. */
export interface Scheduler {
  /** @param failure what the log says when it failed: "old audit events could not be removed" */
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
