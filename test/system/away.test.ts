import { createClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, eventually, stored } from '../support/app.js';
import { aProgram } from '../support/program.js';

const CLIENTS = 60;
const EVENTS =
  'subscription ($since: String) { crashEvents(since: $since, subjects: [COREDUMP]) { type id: subjectId cursor } }';

interface Event {
  type: string;
  id: string | null;
  cursor: string;
}

describe('a server that is killed and started again', () => {
  it('tells each of its clients what came and went meanwhile', { timeout: 180_000 }, async () => {
    const environment = { MAX_STREAMS_PER_ADDRESS: '1000' };
    const program = await aProgram('serve', { environment });
    await aDevice(program as never);
    const old = await stored(program, 'before');
    const clients = Array.from({ length: CLIENTS }, () => aClient());
    for (const client of clients) client.connect(program.url);
    await eventually(async () => clients.every(({ types }) => types().includes('READY')), 'all follow');

    await program.stop('SIGKILL');
    const again = await aProgram('serve', { dir: program.dir, environment });
    const arrived = await stored(again, 'meanwhile');
    await again.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: old.coredumpId,
    });
    for (const client of clients) client.connect(again.url);

    await eventually(
      async () => clients.every(({ types }) => types().filter((type) => type === 'READY').length === 2),
      'all have caught up',
    );
    for (const { events } of clients) {
      expect(events.map(({ type, id }) => ({ type, id }))).toEqual([
        { type: 'READY', id: null },
        { type: 'ARRIVED', id: arrived.coredumpId },
        { type: 'DELETED', id: old.coredumpId },
        { type: 'READY', id: null },
      ]);
    }
  });
});

/** Follows until its connection ends, and continues where it was with the next one. */
function aClient() {
  const events: Event[] = [];
  return {
    events,
    types: () => events.map(({ type }) => type),
    connect(url: string): void {
      const since = events.at(-1)?.cursor;
      const answers = createClient({ url: `${url}/graphql`, retryAttempts: 0 }).iterate<{
        crashEvents: Event;
      }>({
        query: EVENTS,
        variables: { since },
      });
      onTestFinished(async () => void (await answers.return?.()));
      void (async () => {
        for await (const { data } of answers) if (data != null) events.push(data.crashEvents);
      })().catch(() => {});
    },
  };
}
