import { useEffect } from 'react';

/** Keys of the open page, beside those that work everywhere (`use-keys.ts`). */
const pageKeys = new Map<string, () => void>();

/** @param keys the same functions at each call */
export function usePageKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    for (const [key, run] of Object.entries(keys)) pageKeys.set(key, run);
    return () => {
      for (const key of Object.keys(keys)) pageKeys.delete(key);
    };
  }, [keys]);
}

export function pageKey(key: string): (() => void) | undefined {
  return pageKeys.get(key);
}
