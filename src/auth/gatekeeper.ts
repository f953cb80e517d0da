import type { Clock } from '../platform/clock.js';
import type { Guesses } from './attempt-limiter.js';
import type { Authenticator } from './authenticator.js';
import type { DownloadLinks } from './download-links.js';
import { type Person, requirePerson } from './principal.js';

/** Lets people and their programs in, the same way for every transport: GraphQL, downloads, metrics. */
export interface Gatekeeper {
  /** False: whoever reaches the server may do everything. */
  readonly isOn: boolean;
  /**
   * Who asks, by an `Authorization` header. Credentials that are not valid count against the address; a missing header
   * does not, since nothing was tried.
   *
   * @throws DomainError for strangers and devices, and RATE_LIMITED after too many failures
   */
  admit(address: string, authorization: string | undefined): Promise<Person>;
  /** Who asks, by a signed link to a dump. @throws DomainError UNAUTHENTICATED, RATE_LIMITED */
  admitByLink(address: string, coredumpId: number, link: string): Promise<Person>;
  /** For a transport that asks for credentials only later. @throws DomainError RATE_LIMITED after too many failures */
  hold(address: string): Promise<void>;
}

export function createGatekeeper({
  auth,
  links,
  guesses,
  clock,
}: {
  auth: Pick<Authenticator, 'isOn' | 'authenticate'>;
  links: Pick<DownloadLinks, 'check'>;
  guesses: Guesses;
  clock: Pick<Clock, 'now'>;
}): Gatekeeper {
  return {
    isOn: auth.isOn,

    async admit(address, authorization) {
      const identify = () => auth.authenticate(authorization);
      // Where everybody may do everything nothing can be guessed, and nobody is held back.
      const principal = await (auth.isOn ? guesses.watch(address, identify) : identify());
      return requirePerson(principal, clock.now());
    },

    admitByLink: (address, coredumpId, link) =>
      guesses.watch(address, async () => links.check(coredumpId, link)),

    async hold(address) {
      if (auth.isOn) await guesses.check(address);
    },
  };
}
