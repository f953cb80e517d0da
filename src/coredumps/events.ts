import type { CoredumpRow } from './types.js';

/** What changed, after the commit that changed it. Subscribers may get an event twice, never out of nothing. */
export interface CoredumpEvents {
  publish(dump: CoredumpRow): void;
  /** Ends when the iterator is returned or the process stops. Attached before this function returns. */
  subscribe(filter: { coredumpId?: number; deviceId?: number }): AsyncIterableIterator<CoredumpRow>;
}
