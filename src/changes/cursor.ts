import type { ChangeLog, Span } from '../platform/database/change-types.js';

/** Where a client is in the change feed of one database. */
export interface Cursor {
  /** Identity of the feed. */
  feed: string;
  /** All changes up to `to` have been sent, but within the span only those up to `afterId`. */
  at: Span;
}

const FORMAT = 'changes1';
/** A snapshot of PostgreSQL names every running transaction. */
const MAX_LENGTH = 16_384;

/** Opaque to clients: base64, so it fits into a header and into an event's `id`. */
export function writeCursor({ feed, at: { from, to, afterId } }: Cursor): string {
  const parts = from === to ? [FORMAT, feed, to] : [FORMAT, feed, from, to, afterId];
  return Buffer.from(parts.join('/')).toString('base64');
}

/**
 * @param log reads positions; those of other databases are not looked at
 * @returns null for a text that is no cursor
 */
export function readCursor(
  text: string,
  log: Pick<ChangeLog, 'isPosition'>,
  ownFeed: string,
): Cursor | 'foreign' | null {
  if (text.length > MAX_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const parts = Buffer.from(text, 'base64').toString('latin1').split('/');
  const [format, feed = '', from = '', to = from, afterId = '0'] = parts;
  if (format !== FORMAT || parts.length > 5 || !/^[0-9a-f-]{32,36}$/.test(feed)) return null;
  if (feed !== ownFeed) return 'foreign';
  if (!log.isPosition(from) || !log.isPosition(to) || !/^\d{1,15}$/.test(afterId)) return null;
  return { feed, at: { from, to, afterId: Number(afterId) } };
}
