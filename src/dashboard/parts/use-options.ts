import { type KeyboardEvent, useId, useState } from 'react';

/**
 * The keyboard of a combobox whose options are a list below its field: arrow keys move, Enter takes, Escape closes. The
 * focus stays in the field; screen readers are told by `aria-activedescendant`.
 */
export function useOptions<Option>({
  options,
  isOpen,
  onTake,
  onClose,
}: {
  options: readonly Option[];
  isOpen: boolean;
  onTake: (option: Option) => void;
  onClose: () => void;
}) {
  const listId = useId();
  const [at, setAt] = useState(-1);
  const active = isOpen && at < options.length ? at : -1;
  const idOf = (index: number) => `${listId}-${index}`;

  function onKeyDown(event: KeyboardEvent): void {
    if (!isOpen) return;
    const option = options[active];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      // One place more than options: none of them.
      const places = options.length + 1;
      setAt(((active + 1 + step + places) % places) - 1);
    } else if (event.key === 'Enter' && option !== undefined) {
      event.preventDefault();
      onTake(option);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      onClose();
    }
  }

  return {
    active,
    reset: () => setAt(-1),
    /** For the field. */
    field: {
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-expanded': isOpen,
      'aria-controls': isOpen ? listId : undefined,
      'aria-activedescendant': active < 0 ? undefined : idOf(active),
      autoComplete: 'off',
      onKeyDown,
    } as const,
    listId,
    idOf,
  };
}
