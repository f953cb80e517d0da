import { useEffect, useState } from 'react';
import { createReader } from './reader';
import type { GivenFirmware, ReaderAnswer } from './reader-messages';

export type LocalReading =
  | { state: 'empty' }
  | { state: 'reading' }
  | ({ state: 'read' } & Omit<ReaderAnswer, 'number'>)
  /** It was stopped, or the worker ended. */
  | { state: 'ended'; why: string };

/** What the reader in this browser makes of the crash and the firmware, read anew whenever one of them changes. */
export function useLocalReading(
  crash: Blob | null,
  firmware: GivenFirmware | null,
): { reading: LocalReading; stop(): void; again(): void } {
  const [reader] = useState(createReader);
  const [reading, setReading] = useState<LocalReading>({ state: 'empty' });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt reads the same again
  useEffect(() => {
    if (crash === null && firmware === null) return setReading({ state: 'empty' });
    let isWanted = true;
    let isOpen = true;
    setReading({ state: 'reading' });
    reader
      .ask({ crash, firmware })
      .then(
        (answer) => isWanted && setReading({ state: 'read', ...answer }),
        (error: Error) => isWanted && setReading({ state: 'ended', why: error.message }),
      )
      .finally(() => {
        isOpen = false;
      });
    return () => {
      isWanted = false;
      // What nobody waits for any more does not keep the next one waiting.
      if (isOpen) reader.stop('Something else was given.');
    };
  }, [reader, crash, firmware, attempt]);
  useEffect(() => () => reader.stop('The page was left.'), [reader]);

  return {
    reading,
    stop: () => reader.stop('You stopped the reading.'),
    again: () => setAttempt((before) => before + 1),
  };
}
