import type { ReactNode } from 'react';
import { Dialog } from './dialog';

/** Asks before an action that cannot be undone. */
export function ConfirmDialog({
  title,
  action,
  isOpen,
  onClose,
  onConfirm,
  children,
}: {
  title: string;
  /** The text of the button: "Delete device". */
  action: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose}>
      <div className="dialog-body">
        {children}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="button"
            className="button"
            data-tone="danger"
            onClick={() => {
              onClose();
              onConfirm();
            }}
          >
            {action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
