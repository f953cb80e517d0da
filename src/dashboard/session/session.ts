/** The one place that knows who is using the page: what it says goes with every request and every socket. */
export interface Session {
  token: string;
  /** How to get another token before this one ends; null for a token that somebody typed. */
  renewal: { refreshToken: string; endsAt: number } | null;
}

type Ended = 'signed-out' | 'refused';

/** Kept in the tab only: a reload stays signed in, another tab or the next day does not. */
const STORAGE_KEY = 'coredock.session';

let session: Session | null = stored();
let ended: Ended | null = null;
const listeners = new Set<() => void>();

/** Value of the `Authorization` header, null while nobody has signed in (or needs to). */
export function authorization(): string | null {
  return session === null ? null : `Bearer ${session.token}`;
}

export function currentSession(): Session | null {
  return session;
}

/** Why there is no session any more: null when there never was one. */
export function howItEnded(): Ended | null {
  return ended;
}

export function beginSession(next: Session): void {
  session = next;
  ended = null;
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  tell();
}

/**
 * @param refused the header that the server did not take: a session that has been renewed since goes on
 */
export function endSession(how: Ended, refused = authorization()): void {
  if (session === null || refused !== authorization()) return;
  session = null;
  ended = how;
  sessionStorage.removeItem(STORAGE_KEY);
  tell();
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}

function stored(): Session | null {
  const text = sessionStorage.getItem(STORAGE_KEY);
  if (text === null) return null;
  return JSON.parse(text) as Session;
}
