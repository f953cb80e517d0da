import { useEffect, useRef, useState } from 'react';
import type { DumpOnPageFragment } from '../../generated/graphql';

interface Pin {
  id: string;
  /** Crashes of the filter at that time. */
  count: number;
  filterKey: string;
}

/**
 * The crash that is read stays on the screen while new ones arrive: the newest at the first look, until the reader asks
 * for the new ones, chooses another one, or changes the filter.
 */
export function useShownCrash({ chosen, filterKey }: { chosen: string | null; filterKey: string }) {
  const [pinned, setPinned] = useState<Pin | null>(null);
  const [isBehind, setBehind] = useState(false);
  const pin = pinned?.filterKey === filterKey ? pinned : null;
  return {
    chosen,
    filterKey,
    pin,
    setPinned,
    setBehind,
    /** The crash to ask for, where it is not the newest. */
    asked: chosen ?? (isBehind ? (pin?.id ?? null) : null),
    showNewest() {
      setPinned(null);
      setBehind(false);
    },
  };
}

/**
 * After each answer: which crash is shown, and how many have arrived since it was the newest.
 *
 * @param newest the newest crash by the answer, and how many there are
 * @param shown the crash that was asked for
 */
export function useCrashToShow(
  { chosen, filterKey, pin, setPinned, setBehind }: ReturnType<typeof useShownCrash>,
  {
    newest,
    count,
    shown,
  }: { newest: string | undefined; count: number; shown: DumpOnPageFragment | null | undefined },
): { dump: DumpOnPageFragment | null; newCrashes: number } {
  const last = useRef<DumpOnPageFragment | null>(null);
  const pinnedId = pin?.id;
  useEffect(() => {
    if (newest === undefined) return;
    if (pinnedId === undefined) {
      setPinned({ id: newest, count, filterKey });
      setBehind(false);
    } else setBehind(newest !== pinnedId);
  }, [newest, count, filterKey, pinnedId, setPinned, setBehind]);

  if (shown != null) last.current = shown;
  const isBehind = chosen === null && pin !== null && newest !== undefined && newest !== pin.id;
  const wanted = chosen ?? (isBehind ? pin.id : newest);
  const known = [shown, last.current].find((dump) => dump?.id === wanted);
  return { dump: known ?? shown ?? null, newCrashes: isBehind ? Math.max(1, count - pin.count) : 0 };
}
