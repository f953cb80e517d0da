/** What somebody has signed in with. */
export interface Credentials {
  token: string;
  /** How to get another token before this one ends; null for a token that somebody typed. */
  renewal: { refreshToken: string; endsAt: number } | null;
}

/** The one place that knows who is using the page: what it says goes with every request and every socket. */
export interface Session extends Credentials {
  /** Another one each time that somebody signs in; a renewal keeps it. */
  number: number;
}

/** `forbidden`: the server knows the person, who has no role. */
type Ended = 'signed-out' | 'refused' | 'forbidden';

/** Kept in the tab only: a reload stays signed in, another tab or the next day does not. */
const STORAGE_KEY = 'coredock.session';

let lastNumber = 0;
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

export function beginSession(credentials: Credentials): void {
  keep(credentials, ++lastNumber);
}

/** The same person's session with another token; nothing when it has ended or changed while that was asked for. */
export function renewSession(old: Session, credentials: Credentials): void {
  if (session === old) keep(credentials, old.number);
}

/**
 * @param refused the header that the server did not take: a session that has been renewed since goes on
 */
export function endSession(how: Ended, refused = authorization()): void {
  if (session === null || refused !== authorization()) return;
  session = null;
  ended = how;
  sessionStorage.removeItem(STORAGE_KEY);
  notify();
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function keep(credentials: Credentials, number: number): void {
  session = { ...credentials, number };
  ended = null;
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(credentials));
  notify();
}

function notify(): void {
  for (const listener of listeners) listener();
}

function stored(): Session | null {
  const text = sessionStorage.getItem(STORAGE_KEY);
  if (text === null) return null;
  return { ...(JSON.parse(text) as Credentials), number: ++lastNumber };
}
