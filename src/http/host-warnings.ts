import type { HostRefusal } from '../platform/http/allowed-hosts.js';
import type { Logger } from '../platform/logger.js';

export interface HostWarnings {
  note(refusal: HostRefusal): void;
}

const MAX_WARNINGS = 100;

/** Logs unknown host names of requests, each once, so that a page that repeats requests cannot fill the log. */
export function createHostWarnings(log: Logger): HostWarnings {
  const known = new Set<string>();
  return {
    note({ status, message }) {
      if (status !== 421 || known.size >= MAX_WARNINGS || known.has(message)) return;
      known.add(message);
      log.warn(message);
    },
  };
}
