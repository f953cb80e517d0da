import { type Person, TokenExpired } from './principal.js';

/** Finds who has signed in with a browser, by the secret of the session's cookie. */
export interface SessionLookup {
  /** @throws SessionEnded; DomainError UNAVAILABLE when the issuer or the database does not answer, FORBIDDEN without a role */
  find(secret: string): Promise<Person>;
  /** The same for a connection that stays open. @throws as `find` */
  hold(secret: string): Promise<HeldSession>;
}

/** The session of an open connection. It is renewed as long as the connection is open. */
export interface HeldSession {
  readonly person: Person;
  /** Aborted when the session ends, on whichever server; its reason is a DomainError. */
  readonly ended: AbortSignal;
  /** Until the token that the session has now is no longer accepted; infinite for a token that does not end. */
  remainingMs(): number;
  /** Call it when the connection is closed. */
  release(): void;
}

/**
 * Not a wrong credential: all tabs of a browser may come with a session that has ended. Its connections are closed as
 * those of an expired token are.
 */
export class SessionEnded extends TokenExpired {
  constructor(message = 'The session has ended: sign in again.') {
    super(message);
  }
}
