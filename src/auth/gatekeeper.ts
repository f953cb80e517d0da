import type { Clock } from '../platform/clock.js';
import type { AttemptLimiter } from './attempt-limiter.js';
import type { Authenticator } from './authenticator.js';
import type { DownloadLinks } from './download-links.js';
import { type Person, type Principal, type Reader, requirePerson, requireReader } from './principal.js';
import type { HeldSession, SessionLookup } from './session-lookup.js';

/** Authenticates people and programs, the same way for every transport: GraphQL, downloads, metrics. */
export interface Gatekeeper {
  /** False: everyone who can reach the server may do everything. */
  readonly isOn: boolean;
  /**
   * Identifies a person who may read, by an `Authorization` header, or else by the session of a browser. Invalid
   * credentials count against the address; a missing header does not, because nothing was tried, nor does a session that
   * has ended.
   *
   * @param session the secret of the cookie, where it counts for the request; doors for programs leave it out
   * @throws DomainError UNAUTHENTICATED without credentials, FORBIDDEN for devices and uploaders, RATE_LIMITED after too
   *   many failures
   */
  admit(address: string, authorization: string | undefined, session?: string): Promise<Reader>;
  /** The same for the few doors that uploaders may enter too. @throws DomainError as `admit` */
  admitUploaders(address: string, authorization: string | undefined, session?: string): Promise<Person>;
  /**
   * Identifies a reader by the session of a browser, for a connection that stays open.
   *
   * @throws DomainError UNAUTHENTICATED for a session that has ended, FORBIDDEN for uploaders
   */
  admitForLong(session: string): Promise<HeldSession & { readonly person: Reader }>;
  /** Identifies the person by a signed link to a dump. @throws DomainError UNAUTHENTICATED, RATE_LIMITED */
  admitByLink(address: string, coredumpId: number, link: string): Promise<Reader>;
  /** For a transport that gets the credentials later. @throws DomainError RATE_LIMITED after too many failures */
  hold(address: string): Promise<void>;
}

export function createGatekeeper({
  auth,
  links,
  sessions,
  attemptLimiter,
  clock,
}: {
  auth: Pick<Authenticator, 'isOn' | 'authenticate'>;
  sessions: SessionLookup;
  links: Pick<DownloadLinks, 'check'>;
  attemptLimiter: AttemptLimiter;
  clock: Pick<Clock, 'now'>;
}): Gatekeeper {
  return {
    isOn: auth.isOn,

    admit: async (address, authorization, session) =>
      requireReader(await principalOf(address, authorization, session), clock.now()),

    admitUploaders: async (address, authorization, session) =>
      requirePerson(await principalOf(address, authorization, session), clock.now()),

    async admitForLong(session) {
      const held = await sessions.hold(session);
      try {
        return { ...held, person: requireReader(held.person, clock.now()) };
      } catch (error) {
        held.release();
        throw error;
      }
    },

    admitByLink: (address, coredumpId, link) =>
      attemptLimiter.watch(address, async () => links.check(coredumpId, link)),

    async hold(address) {
      if (auth.isOn) await attemptLimiter.check(address);
    },
  };

  /** Without authentication there is nothing to guess, so no address is limited. */
  function principalOf(
    address: string,
    authorization: string | undefined,
    session: string | undefined,
  ): Promise<Principal> {
    // Nobody guesses 256 bits, and who is signed in is not locked out by what others of the address guess.
    if (auth.isOn && authorization === undefined && session !== undefined) return sessions.find(session);
    const identify = () => auth.authenticate(authorization);
    return auth.isOn ? attemptLimiter.watch(address, identify) : identify();
  }
}
