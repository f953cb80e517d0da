import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';

/** Signatures by public keys only: with HS256 a public key could be used as a secret, and `none` is no signature. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const CLOCK_SKEW_SECONDS = 30;
const TIMEOUT_MS = 5_000;
/** Unknown key ids, and an issuer that does not answer, make us ask it no more often than this. */
const COOLDOWN_MS = 5_000;
/** So long a key that the issuer has withdrawn is still taken, at most, while the issuer answers. */
const REFRESH_MS = 10 * 60 * 1000;
/** So long keys serve on while the issuer does not answer. */
const KEEP_MS = DAY_MS;

export interface IssuerSettings {
  readonly url: string;
  readonly audience: string;
}

export type Issuer = ReturnType<typeof createIssuer>;

/**
 * An OpenID Connect issuer, of whom we want its keys. They are found by its discovery document, cached, and read anew
 * when a token names one that we do not know: that is how it rotates them.
 */
export function createIssuer(
  { url, audience }: IssuerSettings,
  { clock, log }: { clock: Clock; log: Logger },
) {
  /** By a clock that nobody sets: when the keys were last read, and when the issuer last failed us. */
  let readAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let discovery: Promise<ReturnType<typeof createRemoteJWKSet>> | null = null;
  /** Of whoever gives out tokens, which need not be the issuer's own host; null until the document is known. */
  let tokenOrigin: string | null = null;

  return {
    /**
     * @returns the claims of a token that this issuer signed for our audience and that is valid now
     * @throws DomainError UNAUTHENTICATED with what is wrong; UNAVAILABLE when the issuer's keys cannot be had
     */
    async verify(token: string): Promise<JWTPayload & { exp: number }> {
      // Before the issuer is asked for anything: who sends tokens of others gets no request out of us.
      if (issuerOf(token) !== url) throw invalid('it is not of the issuer OIDC_ISSUER');
      try {
        const { payload } = await jwtVerify(token, keyOf, {
          algorithms: ALGORITHMS,
          issuer: url,
          audience,
          requiredClaims: ['exp'],
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: clock.now(),
        });
        return { ...payload, exp: payload.exp ?? 0 };
      } catch (error) {
        throw error instanceof errors.JOSEError ? invalid(describe(error)) : error;
      }
    },

    /** Until when a token with this `exp` is taken. */
    untilOf: (exp: number) => new Date((exp + CLOCK_SKEW_SECONDS) * 1000),

    /**
     * Whom a browser asks when it signs somebody in: the issuer for its discovery document and, as far as that is
     * known, the host that the document names for tokens. While it is not known, being asked makes us look for it.
     */
    origins(): readonly string[] {
      if (discovery === null)
        keySet().catch((error: unknown) => log.debug({ err: error }, 'no discovery document'));
      const own = new URL(url).origin;
      return tokenOrigin === null || tokenOrigin === own ? [own] : [own, tokenOrigin];
    },

    /** Asks for the keys now, so that a wrong setting is seen in the log rather than at the first request. */
    async warmUp(): Promise<void> {
      try {
        await (await keySet()).reload();
      } catch (error) {
        log.warn(
          { err: error, issuer: url },
          'the OIDC issuer does not answer; its tokens get 503 until it does',
        );
      }
    },
  };

  async function keyOf(...[header, input]: Parameters<JWTVerifyGetKey>): ReturnType<typeof keysFor> {
    try {
      return await keysFor(header, input);
    } catch (error) {
      if (isOfToken(error)) throw error;
      log.warn({ err: error, issuer: url }, 'the OIDC issuer’s keys cannot be read');
      throw new DomainError(
        'UNAVAILABLE',
        'The token cannot be checked now, because its issuer does not answer; try again.',
        { cause: error },
      );
    }
  }

  async function keysFor(...[header, input]: Parameters<JWTVerifyGetKey>) {
    const keys = await keySet();
    const ageMs = performance.now() - readAt;
    if (ageMs > KEEP_MS) await keys.reload();
    else if (ageMs > REFRESH_MS && !keys.reloading)
      keys.reload().catch((error: unknown) => log.warn({ err: error }, 'stale keys'));
    try {
      return await keys(header, input);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || performance.now() - readAt < COOLDOWN_MS)
        throw error;
      await keys.reload();
      return keys(header, input);
    }
  }

  /** Once found, the address of the keys stays. */
  async function keySet() {
    discovery ??= discover().catch((error: unknown) => {
      discovery = null;
      throw error;
    });
    return discovery;
  }

  async function discover() {
    const address = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await ask(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${address} answered ${response.status}`);
    const { issuer, jwks_uri, token_endpoint } = discoveryDocument.parse(await response.json());
    if (issuer !== url) throw new Error(`OIDC_ISSUER is "${url}", but the issuer calls itself "${issuer}"`);
    tokenOrigin = webOriginOf(token_endpoint);
    return createRemoteJWKSet(new URL(jwks_uri), {
      timeoutDuration: TIMEOUT_MS,
      // jose measures both by the time of day, which may be set: `keysFor` knows better.
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: async (...args) => {
        const answer = await ask(...args);
        if (answer.ok) readAt = performance.now();
        return answer;
      },
    });
  }

  /** `fetch`, but an issuer that has just failed us is left alone for a while. */
  async function ask(...args: Parameters<typeof fetch>): Promise<Response> {
    if (performance.now() - failedAt < COOLDOWN_MS)
      throw new Error('the issuer did not answer some seconds ago');
    try {
      const response = await fetch(...args);
      if (response.status >= 500) failedAt = performance.now();
      return response;
    } catch (error) {
      failedAt = performance.now();
      throw error;
    }
  }
}

const discoveryDocument = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  // Only browsers need it, so that the keys are taken whatever it is.
  token_endpoint: z.unknown().optional(),
});

function webOriginOf(address: unknown): string | null {
  if (typeof address !== 'string' || !URL.canParse(address)) return null;
  const { protocol, origin } = new URL(address);
  return protocol === 'https:' || protocol === 'http:' ? origin : null;
}

function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw invalid('it is not a JWT');
  }
}

/** The token's own fault, whatever the issuer says. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** jose's messages are for programmers; claims are only looked at once the signature is right. */
function describe(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud'
      ? 'its audience is not OIDC_AUDIENCE'
      : `its claim "${error.claim}" is wrong`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its signature algorithm is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the issuer has no key that it names';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it cannot be verified';
}

function invalid(why: string): DomainError {
  return new DomainError('UNAUTHENTICATED', `The token is not valid: ${why}.`);
}
