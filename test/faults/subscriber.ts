import { setTimeout as pause } from 'node:timers/promises';
import type { ShownDump } from './ledger.js';

const RETRY_MS = 50;
const QUERY = '{ coredumps(first: 200) { nodes { id parseStatus } } }';
const SUBSCRIPTION = 'subscription { parseStatus { id parseStatus } }';

type State = Pick<ShownDump, 'id' | 'parseStatus'>;

/**
 * A dashboard: it subscribes, then reads, and when its connection ends does both again. What it believes of each dump is
 * to be true in the end, without a page being reloaded.
 */
export function aDashboard(url: () => string | undefined) {
  const believed = new Map<string, State['parseStatus']>();
  const events = new Map<string, number>();
  const stopping = new AbortController();
  let connections = 0;
  const following = follow();
  return {
    believed,
    /** How often each dump was told of. */
    events,
    connections: () => connections,
    async stop() {
      stopping.abort();
      await following;
    },
  };

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      const attempt = new AbortController();
      try {
        await followOnce(url() ?? '', AbortSignal.any([stopping.signal, attempt.signal]));
      } catch {
        // The server is gone or not there yet, or its database is.
      } finally {
        // Where only the reading failed the subscription is still open, and would tell everything once more.
        attempt.abort();
      }
      await pause(RETRY_MS);
    }
  }

  async function followOnce(server: string, signal: AbortSignal): Promise<void> {
    const headers = { 'Content-Type': 'application/json' };
    const stream = await fetch(`${server}/graphql`, {
      method: 'POST',
      headers: { ...headers, Accept: 'text/event-stream' },
      body: JSON.stringify({ query: SUBSCRIPTION }),
      signal,
    });
    if (!stream.ok || stream.body === null)
      throw new Error(`the subscription was answered with ${stream.status}`);
    connections += 1;
    const reading = readEvents(stream.body);
    reading.catch(() => {});
    const response = await fetch(`${server}/graphql`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: QUERY }),
      signal,
    });
    const { data } = (await response.json()) as { data: { coredumps: { nodes: State[] } | null } | null };
    if (data?.coredumps == null) throw new Error('the dumps could not be read');
    data.coredumps.nodes.forEach(learn);
    await reading;
  }

  async function readEvents(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('data: {')) continue;
        const { data } = JSON.parse(line.slice('data: '.length)) as { data: { parseStatus: State } | null };
        if (data === null) continue;
        const { id } = data.parseStatus;
        events.set(id, (events.get(id) ?? 0) + 1);
        learn(data.parseStatus);
      }
    }
  }

  /** What was read may be older than what was told meanwhile; nobody re-parses here, so an end is an end. */
  function learn({ id, parseStatus }: State): void {
    if (parseStatus !== 'PENDING' || !believed.has(id)) believed.set(id, parseStatus);
  }
}
