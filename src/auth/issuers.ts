import type { JWTPayload } from 'jose';
import type { AuthSettings } from '../config/settings.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { audiencesOf } from './claims.js';
import { createIssuer, type Issuer, invalidToken, issuerOf } from './issuer.js';
import type { Person } from './principal.js';
import {
  RenewalRefused,
  type RenewalRequest,
  type RenewedTokens,
  renewTokens,
  unavailable,
} from './token-renewal.js';
import { createTrustedPublishers } from './trusted-publishers.js';

/** A verified token: of a CI job, or of OIDC_ISSUER, whose roles and devices `readClaims` finds. */
export type ReadToken =
  | { kind: 'person'; person: Person }
  | { kind: 'claims'; claims: JWTPayload; until: Date; rolesClaim: string };

/**
 * All issuers of the settings: OIDC_ISSUER for people and devices, and those of TRUSTED_PUBLISHERS for CI jobs. Each has
 * its own keys. A token's issuer must be one of them to the letter; what the token is for, its audience says.
 *
 * @returns null when the settings name no issuer
 */
export function createIssuers(
  { issuer: forPeople, trustedPublishers }: Pick<AuthSettings, 'issuer' | 'trustedPublishers'>,
  deps: { clock: Clock; log: Logger },
) {
  const issuers = new Map<string, Issuer>();
  const urls = new Set([forPeople?.url, ...trustedPublishers.map(({ issuer }) => issuer)]);
  for (const url of urls) {
    if (url !== undefined) issuers.set(url, open(url));
  }
  if (issuers.size === 0) return null;
  const publishers = createTrustedPublishers(trustedPublishers, deps);
  const unknown =
    trustedPublishers.length === 0
      ? 'its issuer is not OIDC_ISSUER'
      : 'its issuer is none that this server accepts';
  for (const issuer of issuers.values()) void issuer.warmUp();

  return {
    /** @throws DomainError UNAUTHENTICATED with what is wrong; UNAVAILABLE when the issuer's keys cannot be read */
    async read(token: string): Promise<ReadToken> {
      const url = issuerOf(token);
      // Tokens of other issuers cause no request at all.
      const issuer = typeof url === 'string' ? issuers.get(url) : undefined;
      if (issuer === undefined) throw invalidToken(unknown);
      const claims = await issuer.verify(token);
      const until = issuer.untilOf(claims.exp);
      const isForPeople = url === forPeople?.url && audiencesOf(claims).includes(forPeople?.audience ?? '');
      if (forPeople === null || !isForPeople)
        return { kind: 'person', person: publishers.recognise(claims, until) };
      return { kind: 'claims', claims, until, rolesClaim: forPeople.rolesClaim };
    },

    /**
     * New tokens for a refresh token that the page got from OIDC_ISSUER.
     *
     * @throws RenewalRefused when there are none any more; DomainError UNAVAILABLE when the issuer does not answer
     */
    async renew(request: Omit<RenewalRequest, 'endpoint'>): Promise<RenewedTokens> {
      const issuer = forPeople === null ? undefined : issuers.get(forPeople.url);
      if (issuer === undefined) throw new RenewalRefused('OIDC_ISSUER is not set any more');
      const endpoint = await issuer.tokenEndpoint().catch(unavailable);
      if (endpoint === null) throw new RenewalRefused('the issuer names no token endpoint');
      return renewTokens({ ...request, endpoint });
    },

    /** Where a browser goes to sign a person in. */
    originsForPeople: (): readonly string[] =>
      forPeople === null ? [] : (issuers.get(forPeople.url)?.origins() ?? []),
  };

  function open(url: string): Issuer {
    const ofJobs = trustedPublishers.filter(({ issuer }) => issuer === url).map(({ audience }) => audience);
    if (forPeople?.url !== url) {
      const named = { issuer: 'TRUSTED_PUBLISHERS', audience: 'one that TRUSTED_PUBLISHERS names' };
      return createIssuer({ url, audiences: ofJobs, named }, deps);
    }
    const named = {
      issuer: 'OIDC_ISSUER',
      audience: ofJobs.length === 0 ? 'OIDC_AUDIENCE' : 'OIDC_AUDIENCE or one that TRUSTED_PUBLISHERS names',
    };
    return createIssuer({ url, audiences: [forPeople.audience, ...ofJobs], named }, deps);
  }
}
