import type { PageWindow } from '../../platform/database/children.js';
import { type PageArguments, page, sizeOf } from './pages.js';

/**
 * `page` for a list that can also be asked for from the oldest to the newest. That is the newest-first list, read from its
 * end and turned around. Cursors are the same in both directions.
 *
 * @param list as for `page`: it returns the rows newest first in any case
 * @throws DomainError BAD_USER_INPUT for invalid sizes and cursors
 */
export async function arrivalPage<Row extends { id: number }>(
  args: PageArguments & { orderBy?: { direction: 'ASC' | 'DESC' } | null | undefined },
  list: (window: PageWindow) => Promise<Row[]>,
  totalCount: () => number | Promise<number>,
) {
  if (args.orderBy?.direction !== 'ASC') return page(args, list, totalCount);
  const { take, fromEnd } = sizeOf(args);
  const bounds = { after: args.before, before: args.after };
  const { edges, pageInfo } = await page(
    fromEnd ? { ...bounds, first: take } : { ...bounds, last: take },
    list,
    totalCount,
  );
  return {
    edges: edges.reverse(),
    totalCount,
    pageInfo: {
      hasNextPage: pageInfo.hasPreviousPage,
      hasPreviousPage: pageInfo.hasNextPage,
      startCursor: pageInfo.endCursor,
      endCursor: pageInfo.startCursor,
    },
  };
}
