import type { ChangeFilter, ChangeLog, Position, Span } from '../platform/database/change-types.js';
import type { Cursor } from './cursor.js';
import { toEvents } from './feed.js';
import type { ChangeEvent } from './types.js';

/** Changes in one read, which wait in memory for their client. */
const BATCH = 500;

/**
 * Reads what has changed between a cursor and a position, in batches.
 *
 * @returns a function that returns the next batch; empty at the end, and null when some changes are not known any more
 */
export function readMissed(
  changes: Pick<ChangeLog, 'read' | 'isComplete'>,
  { since, until, filter }: { since: Cursor; until: Position; filter: ChangeFilter },
): () => Promise<ChangeEvent[] | null> {
  const { feed, at } = since;
  // First the rest of the span in which the client was.
  const spans: Span[] = [{ ...at }, { from: at.to, to: until, afterId: 0 }];

  return async () => {
    for (let span = spans[0]; span !== undefined; span = spans[0]) {
      const found = await changes.read(span, filter, BATCH);
      // Asked afterwards: what is known now was known when it was read.
      if (!(await changes.isComplete(span.from))) return null;
      const isLast = found.length < BATCH;
      const events = toEvents(found, { feed, span, isLast });
      if (isLast) spans.shift();
      else span.afterId = found.at(-1)?.lastId ?? span.afterId;
      if (events.length > 0) return events;
    }
    return [];
  };
}
