/** What a supervised sidecar tells its parent over the IPC channel, once, when it listens. */
interface Announcement {
  listening: string;
}

/** Does nothing where there is no parent that listens. */
export function announce(url: string): void {
  const announcement: Announcement = { listening: url };
  process.send?.(announcement);
}

/** @returns the sidecar's URL; null when the message is none of ours */
export function readAnnouncement(message: unknown): string | null {
  if (typeof message !== 'object' || message === null || !('listening' in message)) return null;
  const { listening } = message;
  return typeof listening === 'string' && URL.canParse(listening) ? listening : null;
}
