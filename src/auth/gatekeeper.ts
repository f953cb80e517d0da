import type { Clock } from '../platform/clock.js';
import type { AttemptLimiter } from './attempt-limiter.js';
import type { Authenticator } from './authenticator.js';
import type { DownloadLinks } from './download-links.js';
import { type Person, requirePerson } from './principal.js';

/** Authenticates people and programs, the same way for every transport: GraphQL, downloads, metrics. */
export interface Gatekeeper {
  /** False: everyone who can reach the server may do everything. */
  readonly isOn: boolean;
  /**
   * Identifies the person by an `Authorization` header. Invalid credentials count against the address; a missing header
   * does not, because nothing was tried.
   *
   * @throws DomainError UNAUTHENTICATED without credentials, FORBIDDEN for devices, RATE_LIMITED after too many
   *   failures
   */
  admit(address: string, authorization: string | undefined): Promise<Person>;
  /** Identifies the person by a signed link to a dump. @throws DomainError UNAUTHENTICATED, RATE_LIMITED */
  admitByLink(address: string, coredumpId: number, link: string): Promise<Person>;
  /** For a transport that gets the credentials later. @throws DomainError RATE_LIMITED after too many failures */
  hold(address: string): Promise<void>;
}

export function createGatekeeper({
  auth,
  links,
  attemptLimiter,
  clock,
}: {
  auth: Pick<Authenticator, 'isOn' | 'authenticate'>;
  links: Pick<DownloadLinks, 'check'>;
  attemptLimiter: AttemptLimiter;
  clock: Pick<Clock, 'now'>;
}): Gatekeeper {
  return {
    isOn: auth.isOn,

    async admit(address, authorization) {
      const identify = () => auth.authenticate(authorization);
      // Without authentication there is nothing to guess, so no address is limited.
      const principal = await (auth.isOn ? attemptLimiter.watch(address, identify) : identify());
      return requirePerson(principal, clock.now());
    },

    admitByLink: (address, coredumpId, link) =>
      attemptLimiter.watch(address, async () => links.check(coredumpId, link)),

    async hold(address) {
      if (auth.isOn) await attemptLimiter.check(address);
    },
  };
}
