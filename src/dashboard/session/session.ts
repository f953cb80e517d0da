/** The credentials of the signed-in person. */
export interface Credentials {
  token: string;
  /** How to renew the token before it expires; null for a token that was typed. */
  renewal: { refreshToken: string; endsAt: number } | null;
}

/** The one place for the current session: every request and every socket uses it. */
export interface Session extends Credentials {
  /** New at each sign-in; a renewal keeps it. */
  number: number;
}

/** `forbidden`: the person is authenticated, but has no role. */
type Ended = 'signed-out' | 'refused' | 'forbidden';

/** Stored in this tab only: it survives a reload, but other tabs do not have it. */
const STORAGE_KEY = 'coredock.session';

let lastNumber = 0;
let session: Session | null = stored();
let ended: Ended | null = null;
const listeners = new Set<() => void>();
const expiryListeners = new Set<() => void>();

/** How long before its expiry a token is renewed. */
export const EARLY_MS = 30_000;

/** Value of the `Authorization` header; null when nobody has signed in. */
export function authorization(): string | null {
  return session === null ? null : `Bearer ${session.token}`;
}

export function currentSession(): Session | null {
  return session;
}

/** Why the last session ended; null when there was none. */
export function howItEnded(): Ended | null {
  return ended;
}

export function beginSession(credentials: Credentials): void {
  keep(credentials, ++lastNumber);
}

/** Replaces the token of the same session; does nothing when that session has ended or changed meanwhile. */
export function renewSession(old: Session, credentials: Credentials): void {
  if (session === old) keep(credentials, old.number);
}

/**
 * @param refused the header that the server refused: a session that was renewed since then continues
 */
export function endSession(how: Ended, refused = authorization()): void {
  if (session === null || refused !== authorization()) return;
  session = null;
  ended = how;
  sessionStorage.removeItem(STORAGE_KEY);
  notify();
}

/**
 * Ends the session whose token the server says has expired, unless it can be renewed: a computer that slept has missed
 * the time for it.
 */
export function expireSession(refused: string | null): void {
  if (refused !== authorization()) return;
  const endsAt = session?.renewal?.endsAt ?? Number.POSITIVE_INFINITY;
  // A token that was renewed a moment ago was refused for something else.
  if (endsAt - Date.now() > EARLY_MS || expiryListeners.size === 0) {
    endSession('refused', refused);
    return;
  }
  for (const listener of expiryListeners) listener();
}

/** @param listener renews the session, or ends it if that fails */
export function onExpiry(listener: () => void): () => void {
  expiryListeners.add(listener);
  return () => expiryListeners.delete(listener);
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
