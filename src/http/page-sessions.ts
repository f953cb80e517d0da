import type { IncomingMessage, ServerResponse } from 'node:http';
import { runAs } from '../auth/actor.js';
import type { Person } from '../auth/principal.js';
import { DomainError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { SessionCookie } from '../platform/http/session-cookie.js';
import type { Sessions } from '../sessions/service.js';
import type { CrossOrigin } from './cors.js';

/** A request, as far as a session needs it. */
interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
}

/** The secret of a request's cookie; undefined without one, and where it does not count. */
export type SessionOf = (request: IncomingMessage) => string | undefined;

export type PageSessions = ReturnType<typeof createPageSessions>;

/** The sessions of browsers, in requests and answers: who may use the cookie, and when it is set. */
export function createPageSessions({
  sessions,
  cookie,
  crossOrigin,
  clientAddress,
  publicUrl,
  clock,
}: {
  sessions: Pick<Sessions, 'begin' | 'end' | 'endEverywhere'>;
  cookie: SessionCookie;
  crossOrigin: Pick<CrossOrigin, 'isFromOwnPage' | 'ownOriginOf'>;
  clientAddress: ClientAddress;
  publicUrl: string | null;
  clock: Pick<Clock, 'now'>;
}) {
  return {
    secretOf,
    keep,

    /**
     * Begins a session for a person whose token was authenticated, and sets its cookie. A session that the browser had
     * before ends.
     *
     * @throws DomainError FORBIDDEN for a page of another site, also of CORS_ORIGINS: it would choose who people are here
     */
    async begin(
      { request, response, requestId }: Visit,
      person: Person,
      { token, refreshToken = null }: { token: string; refreshToken?: string | null },
    ): Promise<Person> {
      if (isFromOtherPage(request)) {
        throw new DomainError(
          'FORBIDDEN',
          'A session is for the server’s own page: send the token with each request.',
        );
      }
      const address = clientAddress(request);
      const origin = originOf(request);
      const begun = await runAs({ person, address, requestId }, () =>
        sessions.begin(person, { token, refreshToken, origin }),
      );
      const before = secretOf(request);
      if (before !== undefined) await sessions.end(before, { address, requestId });
      keep({ request, response }, begun.secret, begun.person);
      return begun.person;
    },

    /** Signs out this browser, or all of the person. @throws SessionEnded where it is signed out already, for all */
    async end({ request, response, requestId }: Visit, secret: string, isEverywhere: boolean): Promise<void> {
      const origin = { address: clientAddress(request), requestId };
      if (isEverywhere) await sessions.endEverywhere(secret, origin);
      else await sessions.end(secret, origin);
      forget(response);
    },

    forget,
  };

  function isFromOtherPage({ headers: { origin, host } }: IncomingMessage): boolean {
    return origin !== undefined && crossOrigin.ownOriginOf(origin, host) === null;
  }

  function secretOf(request: IncomingMessage): string | undefined {
    if (!crossOrigin.isFromOwnPage(request)) return undefined;
    return cookie.read(request, { isSecure: isSecure(originOf(request)) });
  }

  /** @param pageOrigin of a request that does not name its origin, as our page says it */
  function keep(
    { request, response }: Omit<Visit, 'requestId'>,
    secret: string,
    { until }: Person,
    pageOrigin?: string,
  ): void {
    const endsAt = until?.getTime() ?? Number.POSITIVE_INFINITY;
    const remainingSeconds = Math.floor((endsAt - clock.now().getTime()) / 1000);
    const maxAgeSeconds = Math.min(MAX_AGE_SECONDS, Math.max(0, remainingSeconds));
    const origin = originOf(request, pageOrigin);
    setCookies(response, cookie.keep(secret, { maxAgeSeconds, isSecure: isSecure(origin) }));
  }

  function forget(response: ServerResponse): void {
    setCookies(response, cookie.remove());
  }

  /** Without an `Origin` the PUBLIC_URL says whether people come by https. */
  function originOf({ headers }: IncomingMessage, pageOrigin?: string): string | null {
    const named = crossOrigin.ownOriginOf(headers.origin ?? pageOrigin, headers.host);
    if (named !== null || publicUrl === null) return named;
    const { origin, hostname } = new URL(publicUrl);
    return hostname === headers.host?.replace(/:\d+$/, '') ? origin : null;
  }
}

/** Browsers keep no cookie longer than 400 days. RFC 6265bis §5.5. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

function isSecure(origin: string | null): boolean {
  return origin?.startsWith('https:') === true;
}

function setCookies(response: ServerResponse, cookies: string[]): void {
  response.setHeader('Set-Cookie', cookies);
  response.appendHeader('Vary', 'Cookie');
}
