import { useCallback, useMemo, useRef, useState } from 'react';

/** Rows that a person has marked for an action on all of them. */
export interface Selection {
  ids: ReadonlySet<string>;
  has(id: string): boolean;
  /** @param toRange also all rows between the last one and this one, as Shift asks for */
  toggle(id: string, toRange: boolean): void;
  toggleAll(): void;
  isAll: boolean;
  clear(): void;
}

/** @param shown ids of the rows in their order; only those can be selected */
export function useSelection(shown: readonly string[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const clear = useCallback(() => setChosen(new Set()), []);
  const ids = useMemo(() => new Set(shown.filter((id) => chosen.has(id))), [shown, chosen]);
  const isAll = shown.length > 0 && ids.size === shown.length;

  function toggle(id: string, toRange: boolean): void {
    const range = toRange && last.current !== null ? between(shown, last.current, id) : [id];
    const isAdded = !chosen.has(id);
    const next = new Set(chosen);
    for (const each of range) {
      if (isAdded) next.add(each);
      else next.delete(each);
    }
    last.current = id;
    setChosen(next);
  }

  return {
    ids,
    has: (id) => ids.has(id),
    toggle,
    toggleAll: () => setChosen(isAll ? new Set() : new Set(shown)),
    isAll,
    clear,
  };
}

function between(ids: readonly string[], one: string, other: string): readonly string[] {
  const [first, second] = [ids.indexOf(one), ids.indexOf(other)];
  return first < 0 || second < 0 ? [other] : ids.slice(Math.min(first, second), Math.max(first, second) + 1);
}
