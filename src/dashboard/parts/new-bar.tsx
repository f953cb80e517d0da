import type { CalmList } from './use-calm-list';
import { useKeptFocus } from './use-kept-focus';

/**
 * Says how many rows have arrived and shows them when asked. Its place is there before it is needed, so that nothing
 * moves when it appears.
 *
 * @param pageSize rows of a full page: if all of it is new, there may be more
 */
export function NewBar({ list, pageSize }: { list: CalmList<{ id: string }>; pageSize: number }) {
  const { arrived, isReordered, gone, show } = list;
  const area = useKeptFocus<HTMLSpanElement>(firstRow);
  const text = textOf(arrived, pageSize, isReordered, gone.size);
  return (
    <span ref={area} className="new-bar" role="status">
      {text !== null && (
        <button type="button" onClick={show}>
          {text} – show
        </button>
      )}
    </span>
  );
}

/** What was asked for. */
function firstRow(): HTMLElement | null {
  return document.querySelector<HTMLElement>('main tbody a');
}

function textOf(arrived: number, pageSize: number, isReordered: boolean, gone: number): string | null {
  if (arrived > 0) return `${arrived}${arrived >= pageSize ? '+' : ''} new`;
  if (gone > 0) return `${gone} gone`;
  return isReordered ? 'New order' : null;
}
