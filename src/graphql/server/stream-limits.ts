import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkOf } from '../../platform/http/client-address.js';
import { RETRY_AFTER_SECONDS, sendGraphQLErrors } from '../../platform/http/send-json.js';
import type { Metrics } from '../../platform/metrics.js';

/** Limits the open event streams and WebSockets, counted together for each address. */
export interface Streams {
  /** @returns a function to call once when the stream has ended; null when the address has too many */
  open(address: string): (() => void) | null;
  readonly maxPerAddress: number;
}

export function createStreams(maxPerAddress: number, metrics: Metrics): Streams {
  const openOf = new Map<string, number>();
  let open = 0;
  metrics.gauge('graphql_streams', 'Open event streams and WebSockets', () => open);
  return {
    maxPerAddress,
    open(address) {
      const network = networkOf(address);
      const held = openOf.get(network) ?? 0;
      if (held >= maxPerAddress) {
        metrics.graphqlRefusals.inc({ limit: 'streams' });
        return null;
      }
      openOf.set(network, held + 1);
      open += 1;
      return once(() => {
        open -= 1;
        const left = (openOf.get(network) ?? 1) - 1;
        if (left > 0) openOf.set(network, left);
        else openOf.delete(network);
      });
    },
  };
}

/**
 * Counts a request for an event stream until its answer has ended.
 *
 * @returns false when it was refused and answered
 */
export function admitEventStream(
  request: IncomingMessage,
  response: ServerResponse,
  { streams, address }: { streams: Streams; address: string },
): boolean {
  if (!(request.headers.accept ?? '').includes('text/event-stream')) return true;
  const close = streams.open(address);
  if (close !== null) {
    response.once('close', close);
    return true;
  }
  const message = tooManyStreams(streams);
  response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  response.setHeader('Connection', 'close');
  sendGraphQLErrors(response, 429, [{ message, extensions: { code: 'RATE_LIMITED', limit: 'streams' } }]);
  return false;
}

export function tooManyStreams({ maxPerAddress }: Streams): string {
  return `This address has ${maxPerAddress} event streams and WebSockets open (MAX_STREAMS_PER_ADDRESS); close one first.`;
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
