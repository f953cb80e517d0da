import { type Stats, statSync } from 'node:fs';

export type FileWatch = ReturnType<typeof watchFile>;

/**
 * Detects that an open file was deleted or replaced. Such a file still works for the process that has it open, but
 * everything written to it is lost when the process ends.
 */
export function watchFile(path: string) {
  const opened = statSync(path);

  return {
    /** What happened to the file; null while it is unchanged. */
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
    // Its folder is not readable any more, or is not a folder.
    return null;
  }
}
