import type { Clock } from '../platform/clock.js';
import type { AttemptLimiter } from './attempt-limiter.js';
import type { Authenticator } from './authenticator.js';
import type { DownloadLinks } from './download-links.js';
import { type Person, type Principal, type Reader, requirePerson, requireReader } from './principal.js';

/** Authenticates people and programs, the same way for every transport: GraphQL, downloads, metrics. */
export interface Gatekeeper {
  /** False: everyone who can reach the server may do everything. */
  readonly isOn: boolean;
  /**
   * Identifies a person who may read, by an `Authorization` header. Invalid credentials count against the address; a
   * missing header does not, because nothing was tried.
   *
   * @throws DomainError UNAUTHENTICATED without credentials, FORBIDDEN for devices and uploaders, RATE_LIMITED after too
   *   many failures
   */
  admit(address: string, authorization: string | undefined): Promise<Reader>;
  /** The same for the few doors that uploaders may enter too. @throws DomainError as `admit` */
  admitUploaders(address: string, authorization: string | undefined): Promise<Person>;
  /** Identifies the person by a signed link to a dump. @throws DomainError UNAUTHENTICATED, RATE_LIMITED */
  admitByLink(address: string, coredumpId: number, link: string): Promise<Reader>;
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

    admit: async (address, authorization) =>
      requireReader(await principalOf(address, authorization), clock.now()),

    admitUploaders: async (address, authorization) =>
      requirePerson(await principalOf(address, authorization), clock.now()),

    admitByLink: (address, coredumpId, link) =>
      attemptLimiter.watch(address, async () => links.check(coredumpId, link)),

    async hold(address) {
      if (auth.isOn) await attemptLimiter.check(address);
    },
  };

  /** Without authentication there is nothing to guess, so no address is limited. */
  function principalOf(address: string, authorization: string | undefined): Promise<Principal> {
    const identify = () => auth.authenticate(authorization);
    return auth.isOn ? attemptLimiter.watch(address, identify) : identify();
  }
}
