import { useEffect, useRef, useState } from 'react';
import type { DumpOnPageFragment } from '../../generated/graphql';

interface Pin {
  id: string;
  /** Crashes of the filter at that time. */
  count: number;
  filterKey: string;
  /** Newer ones have arrived. It never becomes false again: answers of different ages would turn it back and forth. */
  isBehind: boolean;
}

/**
 * The crash that is read stays on the screen while new ones arrive: the newest at the first look, until the reader asks
 * for the new ones, chooses another one, or changes the filter.
 */
export function useShownCrash({ chosen, filterKey }: { chosen: string | null; filterKey: string }) {
  const [pinned, setPinned] = useState<Pin | null>(null);
  const pin = pinned?.filterKey === filterKey ? pinned : null;
  return {
    chosen,
    filterKey,
    pin,
    setPinned,
    /** The crash to ask for, where it is not the newest. */
    asked: chosen ?? (pin?.isBehind === true ? pin.id : null),
    showNewest: () => setPinned(null),
  };
}

/**
 * After each answer: which crash is shown, and how many have arrived since it was the newest.
 *
 * @param isCurrent the answer is to the question of now, and no newer one is on its way
 * @param newest the newest crash by the answer, and how many there are
 * @param shown the crash that was asked for
 */
export function useCrashToShow(
  { chosen, filterKey, pin, setPinned }: ReturnType<typeof useShownCrash>,
  {
    isCurrent,
    newest,
    count,
    shown,
  }: {
    isCurrent: boolean;
    newest: string | undefined;
    count: number;
    shown: DumpOnPageFragment | null | undefined;
  },
): { dump: DumpOnPageFragment | null; newCrashes: number } {
  const last = useRef<DumpOnPageFragment | null>(null);
  useEffect(() => {
    if (!isCurrent || newest === undefined) return;
    if (pin === null) setPinned({ id: newest, count, filterKey, isBehind: false });
    else if (newest !== pin.id && !pin.isBehind) setPinned({ ...pin, isBehind: true });
  }, [isCurrent, newest, count, filterKey, pin, setPinned]);

  const wanted = chosen ?? pin?.id ?? newest;
  // The crash that is read is kept until the answer with it comes, though the newest one is already another.
  if (shown != null && (shown.id === wanted || last.current?.id !== wanted)) last.current = shown;
  const known = [shown, last.current].find((dump) => dump?.id === wanted);
  const isBehind = chosen === null && pin?.isBehind === true;
  return { dump: known ?? shown ?? null, newCrashes: isBehind ? Math.max(1, count - pin.count) : 0 };
}
