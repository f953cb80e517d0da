/** How a list is sorted, as its address says it. */
export interface Sorting {
  by: string;
  isAscending: boolean;
  sort(by: string, isAscending: boolean): void;
}

/** The head of a column that sorts the list; a second click turns the order around. */
export function SortHead({
  name,
  by,
  sorting,
  isText = false,
  className,
}: {
  name: string;
  /** The value of `sort` in the address. */
  by: string;
  /** Absent: the list has an order of its own. */
  sorting: Sorting | undefined;
  /** It begins with A, numbers and times with the largest. */
  isText?: boolean;
  className?: string;
}) {
  if (sorting === undefined)
    return (
      <th scope="col" className={className}>
        {name}
      </th>
    );
  const isCurrent = sorting.by === by;
  const order = sorting.isAscending ? 'ascending' : 'descending';
  return (
    <th scope="col" className={className} aria-sort={isCurrent ? order : 'none'}>
      <button
        type="button"
        className="sort-head"
        onClick={() => sorting.sort(by, isCurrent ? !sorting.isAscending : isText)}
      >
        {name}
        <span aria-hidden="true">{isCurrent ? (sorting.isAscending ? ' ▲' : ' ▼') : ''}</span>
      </button>
    </th>
  );
}
