import { useEffect, useState } from 'react';

const PAUSE_MS = 150;

/** The value once it has not changed for a moment, so that not every letter asks the server. */
export function useDebounced<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [value]);
  return settled;
}
