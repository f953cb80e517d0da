import type { Selection } from './use-selection';

/** The head of the column with the check boxes. */
export function SelectHead({ selection }: { selection: Selection | undefined }) {
  if (selection === undefined) return null;
  return (
    <th scope="col" className="select-cell">
      <input
        type="checkbox"
        aria-label="Select all shown"
        checked={selection.isAll}
        onChange={selection.toggleAll}
      />
    </th>
  );
}

/** @param name of the row, for who does not see it */
export function SelectCell({
  selection,
  id,
  name,
}: {
  selection: Selection | undefined;
  id: string;
  name: string;
}) {
  if (selection === undefined) return null;
  return (
    <td className="select-cell">
      <input
        type="checkbox"
        aria-label={`Select ${name}`}
        checked={selection.has(id)}
        // Chromium fires a change for the keyboard too; only the click knows whether Shift is held.
        onClick={(event) => selection.toggle(id, event.shiftKey)}
        onChange={() => {}}
      />
    </td>
  );
}
