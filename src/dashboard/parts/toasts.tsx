import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

interface Toast {
  text: string;
  isError?: boolean;
  action?: { name: string; run: () => void };
  /** How long it is shown; errors are shown longer by default. */
  lastsMs?: number;
}

interface Toasts {
  /** @returns a function that removes the toast early */
  show(toast: Toast): () => void;
}

const ToastContext = createContext<Toasts | null>(null);

const NOTE_MS = 4_000;
const ERROR_MS = 10_000;

/** Short messages at the bottom: what was done, how to undo it, what failed. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<(Toast & { id: string })[]>([]);
  const dismiss = useCallback((id: string) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const value = useMemo<Toasts>(
    () => ({
      show(toast) {
        const id = String(nextId++);
        setToasts((all) => [...all, { ...toast, id }]);
        const timer = window.setTimeout(
          () => dismiss(id),
          toast.lastsMs ?? (toast.isError === true ? ERROR_MS : NOTE_MS),
        );
        return () => {
          window.clearTimeout(timer);
          dismiss(id);
        };
      },
    }),
    [dismiss],
  );

  // Opened again with each toast, so that it is above a dialog that was opened later.
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (place.current?.matches(':popover-open')) place.current.hidePopover();
    if (toasts.length > 0) place.current?.showPopover();
  }, [toasts]);

  return (
    <ToastContext value={value}>
      {children}
      <section ref={place} popover="manual" className="toasts" aria-label="Notes" aria-live="polite">
        {toasts.map(({ id, text, isError, action }) => (
          <div key={id} className="toast" data-error={isError === true}>
            <span>{text}</span>
            {action !== undefined && (
              <button
                type="button"
                onClick={() => {
                  action.run();
                  dismiss(id);
                }}
              >
                {action.name}
              </button>
            )}
            <button type="button" className="toast-close" aria-label="Dismiss" onClick={() => dismiss(id)}>
              ×
            </button>
          </div>
        ))}
      </section>
    </ToastContext>
  );
}

let nextId = 1;

export function useToasts(): Toasts {
  const toasts = useContext(ToastContext);
  if (toasts === null) throw new Error('useToasts needs a ToastProvider around it');
  return toasts;
}
