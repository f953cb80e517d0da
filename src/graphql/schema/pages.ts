/*
 * How is a list read? A resolver has no database. It has `services` and `loaders` (`context.ts`), and asks
 *
 * - for a list of its own (`Query.coredumps`): `services.X.list(filter, window)` and `services.X.count(filter)`. The
 *   statements are in the service (`coredumps/read.ts`), a few SQL statements however long the list is;
 * - for what each node of a list has (the device of a dump, the dumps of a device): `loaders.X`. A loader gathers the
 *   keys of one moment into one statement. It lives as long as one request or event, so what it remembers is never
 *   stale. `loaders.ts` composes the loaders of all services.
 *
 * `page` below makes a Relay connection of either, newest first. A list that a person sorts (`orderBy`) uses
 * `ordered-pages.ts`, with the SQL of `platform/database/ordered-window.ts`; crash groups use `group-pages.ts`.
 */

import { badInput } from '../../errors.js';
import { MAX_ROW_ID } from '../../global-ids.js';
import type { PageWindow } from '../../platform/database/children.js';
import { DEFAULT_PAGE, MAX_PAGE } from '../limits/page-sizes.js';

export interface PageArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/**
 * One page of a newest-first list as a Relay connection. Cursors are ids and bound the page, so a page stays correct
 * while rows are added and deleted, and also when the row of a cursor has been deleted.
 *
 * @param list returns the rows of a window, newest first; it receives a `take` one larger than the page
 * @throws DomainError BAD_USER_INPUT for invalid sizes and cursors
 */
export async function page<Row extends { id: number }>(
  args: PageArguments,
  list: (window: PageWindow) => Promise<Row[]>,
  totalCount: () => number | Promise<number>,
) {
  const { take, fromEnd } = sizeOf(args);
  const beforeId = idOf(args.after, 'after');
  const afterId = idOf(args.before, 'before');
  const rows = await list({
    take: take + 1,
    ...(beforeId === undefined ? {} : { beforeId }),
    ...(afterId === undefined ? {} : { afterId }),
    ...(fromEnd ? { fromEnd } : {}),
  });
  const hasMore = rows.length > take;
  // The extra row is at the end opposite to where the page starts.
  const nodes = fromEnd ? rows.slice(Math.max(0, rows.length - take)) : rows.slice(0, take);
  const edges = nodes.map((node) => new Edge(node));
  return {
    edges,
    totalCount,
    pageInfo: {
      // At the other end a given cursor implies more rows (the Relay specification allows this answer).
      hasNextPage: fromEnd ? afterId !== undefined : hasMore,
      hasPreviousPage: fromEnd ? hasMore : beforeId !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** Computed on demand, because few queries select the cursor of each edge. */
class Edge<Row extends { id: number }> {
  constructor(readonly node: Row) {}

  get cursor(): string {
    return cursorOf(this.node.id);
  }
}

/** @throws DomainError BAD_USER_INPUT for invalid sizes */
export function sizeOf({ first, last }: PageArguments): { take: number; fromEnd: boolean } {
  if (first != null && last != null) throw badInput('Give first or last, not both.', { field: 'last' });
  const take = first ?? last ?? DEFAULT_PAGE;
  const field = first == null ? 'last' : 'first';
  if (take < 0) throw badInput(`A page cannot have ${take} items.`, { field });
  if (take > MAX_PAGE)
    throw badInput(`A page has at most ${MAX_PAGE} items; ${take} were asked for.`, { field });
  return { take, fromEnd: last != null };
}

function cursorOf(id: number): string {
  return Buffer.from(`id:${id}`).toString('base64');
}

function idOf(cursor: string | null | undefined, field: string): number | undefined {
  if (cursor == null) return undefined;
  const id = /^id:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64').toString('utf8'))?.[1];
  if (id === undefined || Number(id) > MAX_ROW_ID)
    throw badInput('This is not a cursor of this list.', { field });
  return Number(id);
}
