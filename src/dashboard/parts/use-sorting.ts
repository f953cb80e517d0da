import { useFilters } from './filters';
import type { Sorting } from './sort-head';

/** The order of a list out of its address: `sort` and `dir`. @param first the order without them, the highest first */
export function useSorting(first: string): Sorting {
  const { parameters, chooseAll } = useFilters();
  return {
    by: parameters.get('sort') ?? first,
    isAscending: parameters.get('dir') === 'asc',
    sort: (by, isAscending) => chooseAll({ sort: by === first ? '' : by, dir: isAscending ? 'asc' : '' }),
  };
}
