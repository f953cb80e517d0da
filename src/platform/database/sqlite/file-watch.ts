import { type Stats, statSync } from 'node:fs';

export type FileWatch = ReturnType<typeof watchFile>;

/**
 * Sees whether a file that is open is still the one that has its name. One that was unlinked or replaced goes on
 * working for whoever has it open, and all that is written to it is gone with the process.
 */
export function watchFile(path: string) {
  const opened = statSync(path);

  return {
    /** What has become of it: null while all is well. */
    problem(): 'is gone' | 'was replaced by another file' | null {
      const now = found(path);
      if (now === null) return 'is gone';
      return now.ino === opened.ino && now.dev === opened.dev ? null : 'was replaced by another file';
    },
  };
}

function found(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    // Its folder cannot be read any more, or is none.
    return null;
  }
}
