import { type ReactNode, useEffect, useId, useRef } from 'react';

/** What a person is about to fill in; in a question, the answer that changes nothing. */
const FIELD =
  ':is(input:not([type="hidden"]), textarea, select):not(:disabled), .dialog-actions button:not(:disabled)';

/** The browser's modal dialog: focus begins in its first field and stays in it, Escape closes it. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (!isOpen) return dialog.current?.close();
    dialog.current?.showModal();
    // The browser would take the first thing in it, which is the button that closes it.
    dialog.current?.querySelector<HTMLElement>(FIELD)?.focus();
  }, [isOpen]);

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={onClose}>
      <header>
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      {isOpen && children}
    </dialog>
  );
}
