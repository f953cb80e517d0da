import type { ReactNode } from 'react';
import { useKeptFocus } from './use-kept-focus';
import type { Selection } from './use-selection';

/** The list that the rows are of. */
function firstOfList(): HTMLElement | null {
  return document.querySelector<HTMLElement>('main table :is(input, a)');
}

/** What can be done with the selected rows. It is over the page, so that the list does not move when it appears. */
export function BulkBar({ selection, children }: { selection: Selection; children: ReactNode }) {
  const area = useKeptFocus<HTMLElement>(firstOfList);
  if (selection.ids.size === 0) return null;
  return (
    <section ref={area} className="bulk-bar" aria-label="Selected rows">
      <span role="status">{selection.ids.size} selected</span>
      {children}
      <button type="button" className="quiet-button" onClick={selection.clear}>
        Clear selection
      </button>
    </section>
  );
}
