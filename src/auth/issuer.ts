import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import * as z from 'zod';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { TokenExpired } from './principal.js';

/** Public-key signatures only: HS256 would accept a public key as a secret, and `none` is no signature. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
export const CLOCK_SKEW_SECONDS = 30;
const TIMEOUT_MS = 5_000;
/** Far more than the keys of any issuer need: what answers more, for example an endless page, is none. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Shortest time between two requests to the issuer after an unknown key id or a failure. */
const COOLDOWN_MS = 5_000;
/** Keys are reloaded after this time: a withdrawn key is then no longer accepted, if the issuer answers. */
const REFRESH_MS = 10 * 60 * 1000;
/** Keys are used for this long while the issuer does not answer. */
const KEEP_MS = DAY_MS;

export interface IssuerSettings {
  /** Exactly as it calls itself. */
  url: string;
  /** A token must name one of them. */
  audiences: readonly string[];
  /** The settings in which it and its audiences stand, for messages. */
  named: { issuer: string; audience: string };
}

export type Issuer = ReturnType<typeof createIssuer>;

/**
 * Verifies tokens of an OpenID Connect issuer. Its keys are found by its discovery document, cached, and reloaded when
 * a token names an unknown key, as after a rotation.
 */
export function createIssuer(
  { url, audiences, named }: IssuerSettings,
  { clock, log }: { clock: Clock; log: Logger },
) {
  /** Monotonic times: when the keys were last loaded, and when the issuer last failed. */
  let readAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let discovery: Promise<ReturnType<typeof createRemoteJWKSet>> | null = null;
  /** Its origin may differ from the issuer's; null until the discovery document was read. */
  let tokenEndpoint: URL | null = null;

  return {
    /**
     * @returns the claims of a token that this issuer signed for our audience and that is valid now
     * @throws DomainError UNAUTHENTICATED with what is wrong (`TokenExpired` if nothing else is); UNAVAILABLE when the issuer's keys cannot be read
     */
    async verify(token: string): Promise<JWTPayload & { exp: number }> {
      try {
        const { payload } = await jwtVerify(token, keyOf, {
          algorithms: ALGORITHMS,
          issuer: url,
          audience: [...audiences],
          requiredClaims: ['exp'],
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: clock.now(),
        });
        return { ...payload, exp: payload.exp ?? 0 };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        const why = describe(error, named.audience);
        throw error instanceof errors.JWTExpired
          ? new TokenExpired(`The token is not valid: ${why}.`)
          : invalidToken(why);
      }
    },

    /** When a token with this `exp` is no longer accepted. */
    untilOf: (exp: number) => new Date((exp + CLOCK_SKEW_SECONDS) * 1000),

    /**
     * The origins that a browser contacts for a sign-in: the issuer's and, once the discovery document was read, that
     * of the token endpoint. Until then each call starts to read the document.
     */
    origins(): readonly string[] {
      if (discovery === null)
        keySet().catch((error: unknown) => log.debug({ err: error }, 'no discovery document'));
      const own = new URL(url).origin;
      return tokenEndpoint === null || tokenEndpoint.origin === own ? [own] : [own, tokenEndpoint.origin];
    },

    /** Where tokens are renewed; null for an issuer without one. @throws Error when the issuer does not answer */
    async tokenEndpoint(): Promise<URL | null> {
      await keySet();
      return tokenEndpoint;
    },

    /** Loads the keys now, so that a wrong setting is logged before the first request. */
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

  /** The address of the keys is looked up once. */
  async function keySet() {
    discovery ??= discover().catch((error: unknown) => {
      discovery = null;
      throw error;
    });
    return discovery;
  }

  async function discover() {
    const address = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { jwks_uri, token_endpoint } = await ask(
      address,
      { signal: AbortSignal.timeout(TIMEOUT_MS) },
      (answer) => {
        const document = discoveryDocument.parse(answer);
        if (document.issuer === url) return document;
        throw new Error(`${named.issuer} has "${url}", but the issuer calls itself "${document.issuer}"`);
      },
    );
    tokenEndpoint = webAddressOf(token_endpoint);
    return createRemoteJWKSet(new URL(jwks_uri), {
      timeoutDuration: TIMEOUT_MS,
      // jose measures both by the wall clock, which may be set; `keysFor` uses the monotonic one.
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: async (address, options) => {
        const keys = await ask(address, options, (answer) => keySetDocument.parse(answer));
        readAt = performance.now();
        return Response.json(keys);
      },
    });
  }

  /**
   * Asks the issuer, and fails without a request if it has failed a short time ago. Only a whole answer that `read` takes
   * is no failure: a page of a proxy with status 200 is none, nor is a part of one.
   */
  async function ask<T>(address: string, options: RequestInit, read: (answer: unknown) => T): Promise<T> {
    if (performance.now() - failedAt < COOLDOWN_MS)
      throw new Error('the issuer did not answer some seconds ago');
    try {
      const response = await fetch(address, options);
      if (!response.ok) throw new Error(`${address} answered ${response.status}`);
      return read(JSON.parse(await textOf(response, address)));
    } catch (error) {
      failedAt = performance.now();
      throw error;
    }
  }
}

/** The body of an issuer's answer. @throws Error when it is too long */
export async function textOf({ body }: Response, address: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop ends the request.
    if (size > MAX_ANSWER_BYTES) throw new Error(`${address} answered more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const keySetDocument = z.looseObject({ keys: z.array(z.looseObject({})) });

const discoveryDocument = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  // Only people's sign-in needs it, so a bad value does not prevent reading the keys.
  token_endpoint: z.unknown().optional(),
});

function webAddressOf(address: unknown): URL | null {
  if (typeof address !== 'string' || !URL.canParse(address)) return null;
  const found = new URL(address);
  return found.protocol === 'https:' || found.protocol === 'http:' ? found : null;
}

/** What a token says of its issuer, before anything of it is checked. @throws DomainError UNAUTHENTICATED */
export function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw invalidToken('it is not a JWT');
  }
}

/** Errors caused by the token, not by the issuer. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Claims are checked only after the signature, so these reasons can be shown. */
function describe(error: errors.JOSEError, audienceSetting: string): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud'
      ? `its audience is not ${audienceSetting}`
      : `its claim "${error.claim}" is wrong`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its signature algorithm is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the issuer has no key that it names';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it cannot be verified';
}

/** @param why continues a sentence: "its signature is wrong" */
export function invalidToken(why: string): DomainError {
  return new DomainError('UNAUTHENTICATED', `The token is not valid: ${why}.`);
}
