import { withBase } from '../base-path';
import { rangeOf } from './date-range';
import { useFilters } from './filters';
import { SavedViews } from './saved-views';

/** What is in the address of a list and no filter. */
const NO_FILTERS = ['after', 'sort', 'dir', 'since', 'from', 'to'];

/** Saved views and exports of a list, with the filters that it has now. @param list in the addresses of exports */
export function ListTools({ list }: { list: 'coredumps' | 'crash-groups' | 'devices' }) {
  const { parameters } = useFilters();
  return (
    <>
      <SavedViews />
      <details className="menu">
        <summary className="button">Export</summary>
        <div className="menu-items">
          {(['csv', 'json'] as const).map((format) => (
            <a
              key={format}
              href={withBase(`/api/${list}.${format}${exportSearch(parameters)}`)}
              download={`${list}.${format}`}
            >
              As {format.toUpperCase()}
            </a>
          ))}
        </div>
      </details>
    </>
  );
}

/** The filters of the list, with times instead of days: the server does not know the reader's zone. */
function exportSearch(parameters: URLSearchParams): string {
  const search = new URLSearchParams(
    [...parameters].filter(([name, value]) => value !== '' && !NO_FILTERS.includes(name)),
  );
  const { after, before } = rangeOf(parameters, Date.now());
  if (after !== undefined) search.set('from', after);
  if (before !== undefined) search.set('to', before);
  return search.size === 0 ? '' : `?${search}`;
}
