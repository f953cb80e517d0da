import { useEffect } from 'react';
import { useLocation, useSearch } from 'wouter';
import { addressOfList, rememberList } from './list-addresses';
import { pageKey } from './page-keys';
import { usePlaces } from './places';

/** Maximum time between the two keys of "go to": enough for who types slowly, or on a busy computer. */
const CHORD_MS = 5_000;

/**
 * The keys that work on every page: `/`, `?`, `j` and `k` through elements with `data-row`, `g` and a letter, Escape
 * for one level up. Enter is handled by the focused link.
 *
 * @param onSearch, onHelp the same functions at each call, else a `g` is forgotten
 */
export function useKeys({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }): void {
  const [location, navigate] = useLocation();
  const places = usePlaces();
  const filters = useSearch();
  useEffect(() => rememberList(location, filters), [location, filters]);

  useEffect(() => {
    let goPressedAt = Number.NEGATIVE_INFINITY;

    function handle(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target)) {
        if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
        return;
      }
      if (document.querySelector('dialog[open]') !== null) return;
      const place =
        event.timeStamp - goPressedAt < CHORD_MS ? places.find(({ key }) => key === event.key) : undefined;
      goPressedAt = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const action =
        place === undefined ? (ACTIONS[event.key] ?? pageKey(event.key)) : () => navigate(place.path);
      if (action === undefined) return;
      event.preventDefault();
      action();
    }

    function goUp(): void {
      const above = parentOf(location);
      if (above !== null) navigate(addressOfList(above));
    }

    const ACTIONS: Record<string, (() => void) | undefined> = {
      '/': onSearch,
      '?': onHelp,
      j: () => moveFocus(1),
      k: () => moveFocus(-1),
      Escape: goUp,
    };
    document.addEventListener('keydown', handle);
    return () => document.removeEventListener('keydown', handle);
  }, [location, navigate, places, onSearch, onHelp]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type="checkbox"]), textarea, select, [contenteditable]')
  );
}

function moveFocus(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? rows.at(step === 1 ? 0 : -1) : rows[at + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

function parentOf(path: string): string | null {
  if (path === '/') return null;
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
