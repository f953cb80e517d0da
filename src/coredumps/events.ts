import { createEventChannel, type EventChannel } from '../platform/events.js';
import type { CoredumpRow } from './types.js';

/** What changed, after the commit that changed it. Subscribers may get an event twice, never out of nothing. */
export interface CoredumpEvents {
  publish(dump: CoredumpRow): void;
  /** Listens from this call on. Ends when the iterator is returned, and when the server stops. */
  subscribe(filter: { coredumpId?: number; deviceId?: number }): AsyncIterableIterator<CoredumpRow>;
}

export function createCoredumpEvents(
  channel: EventChannel<CoredumpRow> = createEventChannel<CoredumpRow>(),
): CoredumpEvents & { subscriberCount(): number; close(): void } {
  return {
    publish: channel.publish,
    subscribe: ({ coredumpId, deviceId }) =>
      channel.subscribe(
        (dump) =>
          (coredumpId === undefined || dump.id === coredumpId) &&
          (deviceId === undefined || dump.deviceId === deviceId),
      ),
    subscriberCount: channel.subscriberCount,
    close: channel.close,
  };
}
