import type { Logger } from '../platform/logger.js';

/** Logs what is refused or miscounted, and which setting mends it. */
export interface SettingWarnings {
  /** @param message names the setting */
  note(message: string): void;
}

const MAX_WARNINGS = 100;

/** Logs each message once, so that a page that repeats requests cannot fill the log. */
export function createSettingWarnings(log: Logger): SettingWarnings {
  const known = new Set<string>();
  return {
    note(message) {
      if (known.size >= MAX_WARNINGS || known.has(message)) return;
      known.add(message);
      log.warn(message);
    },
  };
}
