type Noun = 'AlertRule' | 'Coredump' | 'CrashGroup';

/** @returns the id of an address; null when the page makes no such address: cut in a mail, for example, or of another noun */
export function idInAddress(part: string, noun: Noun): string | null {
  try {
    const id = decodeURIComponent(part);
    return new RegExp(`^${noun}:[0-9]+$`).test(window.atob(id)) ? id : null;
  } catch {
    return null;
  }
}
