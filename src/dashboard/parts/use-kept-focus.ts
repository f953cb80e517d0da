import { type RefObject, useEffect, useRef } from 'react';

/**
 * Keeps the keyboard where it was: a button that is disabled while it works, or goes away by what it did, loses the focus,
 * and the next Tab would begin at the top of the page. The focus returns to it, or goes to the first button that is there.
 *
 * @param fallback where the area itself goes away
 * @returns the area
 */
export function useKeptFocus<Area extends HTMLElement>(
  fallback?: () => HTMLElement | null,
): RefObject<Area | null> {
  const area = useRef<Area>(null);
  const last = useRef<HTMLElement | null>(null);

  useEffect(() => {
    const note = ({ target }: Event) => {
      const isInside = target instanceof HTMLElement && area.current?.contains(target) === true;
      last.current = isInside ? target : null;
    };
    const events = ['focusin', 'pointerdown'] as const;
    for (const event of events) document.addEventListener(event, note);
    return () => {
      for (const event of events) document.removeEventListener(event, note);
    };
  }, []);

  // After each rendering: only then it is known which buttons there are.
  useEffect(() => {
    const before = last.current;
    if (before === null || document.activeElement !== document.body || !document.hasFocus()) return;
    if (before.isConnected) {
      if (!before.matches(':disabled')) before.focus();
      return;
    }
    const next = area.current?.querySelector<HTMLElement>('button:not(:disabled)') ?? fallback?.();
    next?.focus();
  });
  return area;
}
