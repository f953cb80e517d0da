/** The message that a supervised sidecar sends once over the IPC channel, when it listens. */
interface Announcement {
  listening: string;
}

/** Does nothing without a parent process that listens. */
export function announce(url: string): void {
  const announcement: Announcement = { listening: url };
  process.send?.(announcement);
}

/** @returns the sidecar's URL; null for any other message */
export function readAnnouncement(message: unknown): string | null {
  if (typeof message !== 'object' || message === null || !('listening' in message)) return null;
  const { listening } = message;
  return typeof listening === 'string' && URL.canParse(listening) ? listening : null;
}
