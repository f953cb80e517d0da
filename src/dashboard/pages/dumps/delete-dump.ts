import { useSyncExternalStore } from 'react';
import { graphql } from '../../generated';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';

const DeleteDumps = graphql(`
  mutation DeleteDumps($ids: [ID!]!) { deleteCoredumps(input: { filter: { id: $ids } }) { count } }
`);

/** Delay in which a deletion can be undone; it is sent to the server afterwards. */
const UNDO_MS = 6_000;

/** Waiting deletions, each with the function that sends it at once. */
const pending = new Map<string, () => void>();
let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

// Closing the page confirms the waiting deletions.
window.addEventListener('pagehide', () => {
  for (const send of [...pending.values()]) send();
});

/** Ids that lists omit, because their deletion is waiting. */
export function useHidden(): ReadonlySet<string> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => hidden,
  );
}

/** Deletes a dump after a delay, in which a toast offers to undo it. */
export function useDeleteDump(): (dump: { id: string; filename: string }) => void {
  const deleteDumps = useDeleteDumps();
  return ({ id, filename }) => deleteDumps([id], `${filename} is deleted`);
}

/** The same for several dumps at once. @param text of the toast */
export function useDeleteDumps(): (ids: readonly string[], text: string) => void {
  const { run } = useAction(DeleteDumps);
  const { show } = useToasts();

  return (ids, text) => {
    const [key = ''] = ids;
    const timer = window.setTimeout(send, UNDO_MS);
    pending.set(key, send);
    setHidden(new Set([...hidden, ...ids]));
    const dismiss = show({
      text,
      action: { name: 'Undo', run: undo },
      lastsMs: UNDO_MS,
    });

    function send(): void {
      forget();
      dismiss();
      void run({ ids: [...ids] }).then((data) => {
        if (data === undefined) unhide();
      });
    }
    function undo(): void {
      forget();
      unhide();
    }
    function forget(): void {
      window.clearTimeout(timer);
      pending.delete(key);
    }
    function unhide(): void {
      setHidden(new Set([...hidden].filter((other) => !ids.includes(other))));
    }
  };
}

function setHidden(next: ReadonlySet<string>): void {
  hidden = next;
  for (const listener of listeners) listener();
}
