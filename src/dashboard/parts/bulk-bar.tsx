import type { ReactNode } from 'react';
import type { Selection } from './use-selection';

/** What can be done with the selected rows. It is over the page, so that the list does not move when it appears. */
export function BulkBar({ selection, children }: { selection: Selection; children: ReactNode }) {
  if (selection.ids.size === 0) return null;
  return (
    <section className="bulk-bar" aria-label="Selected rows">
      <span role="status">{selection.ids.size} selected</span>
      {children}
      <button type="button" className="quiet-button" onClick={selection.clear}>
        Clear selection
      </button>
    </section>
  );
}
