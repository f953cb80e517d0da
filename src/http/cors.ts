import type { IncomingMessage, ServerResponse } from 'node:http';

/** The sites whose web pages may read answers and send requests that need a preflight. */
export interface CrossOrigin {
  /**
   * Why a request is refused that a browser sent from a page of another site. Behind a proxy that changes the `Host` it
   * may be our own page, so the sentence names the settings.
   *
   * @returns null when it comes from our own page, from one that is allowed, or from no browser
   */
  refusalOf(request: IncomingMessage): string | null;
  /**
   * Why a request is refused that a browser sent to load the URL for a page of another site as an image, script, stream or fetch. The page cannot
   * read the answer, but the server would work for it. Null when a person follows a link.
   */
  refusalOfEmbedded(request: IncomingMessage): string | null;
  /**
   * Whether a browser's cookie counts for this request: only if our own page sent it, or a person who opened an address
   * of the server. CORS_ORIGINS changes nothing here: pages of other sites send tokens.
   */
  isFromOwnPage(request: IncomingMessage): boolean;
  /** The origin of our own page that sent the request; null when it is not named, or another's. */
  ownOriginOf(origin: string | undefined, host: string | undefined): string | null;
  /** Why our page at this origin (`https://crashes.example`) would be refused; null when it would not. */
  refusalOfPage(origin: string, host: string | undefined): string | null;
  /**
   * Sets the headers that say which pages may read the answer. Must be called before the request is handled.
   *
   * @returns true when the request was a preflight and has been answered
   */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Request headers that are not simple: ours, and what clients and tracing libraries add to every request. */
const ALLOWED_HEADERS = [
  ...['Accept', 'Authorization', 'Content-Type', 'Idempotency-Key', 'If-None-Match', 'Last-Event-ID'],
  ...['Graphql-Cost', 'X-Request-Id'],
  ...['Mcp-Method', 'Mcp-Name', 'Mcp-Protocol-Version', 'Mcp-Session-Id'],
  ...['Apollo-Require-Preflight', 'X-Apollo-Operation-Name'],
  ...['Apollographql-Client-Name', 'Apollographql-Client-Version'],
  ...['Traceparent', 'Tracestate', 'Baggage', 'Sentry-Trace'],
].join(', ');

/** How long a browser may cache the answer to a preflight. */
const PREFLIGHT_SECONDS = 600;

/**
 * @param origins `https://dashboard.example`, compared literally; when empty, no page of another site is allowed
 * @param ownOrigin the origin of PUBLIC_URL: our page's, also where a proxy forwards another `Host`
 */
export function createCrossOrigin(origins: readonly string[], ownOrigin: string | null = null): CrossOrigin {
  const allowed = new Set(origins);
  return {
    refusalOf,
    refusalOfPage,
    ownOriginOf,
    isFromOwnPage({ method = '', headers }) {
      if (headers.origin !== undefined) return ownOriginOf(headers.origin, headers.host) !== null;
      // Browsers name the origin in everything that may change something, and for each WebSocket.
      if (!isRead(method) || headers.upgrade !== undefined) return false;
      // Absent: a browser over http:// to another machine. What it reads for a page of another site, that page cannot read.
      const { 'sec-fetch-site': site = 'same-origin' } = headers;
      return site === 'same-origin' || site === 'none';
    },
    refusalOfEmbedded(request) {
      return isOfAnotherSite(request) && !isFollowedLink(request) ? refusalOf(request) : null;
    },

    answer(request, response) {
      if (allowed.size === 0) return false;
      // Also for origins that are not allowed: a cache could otherwise give them the answer of an allowed one.
      response.setHeader('Vary', 'Origin');
      const { origin } = request.headers;
      if (origin === undefined || !allowed.has(origin)) return false;
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader(
        'Access-Control-Expose-Headers',
        'Content-Disposition, ETag, Retry-After, X-Request-Id',
      );
      if (request.method !== 'OPTIONS') return false;
      response
        .writeHead(204, {
          'Access-Control-Allow-Methods': 'GET, HEAD, POST',
          'Access-Control-Allow-Headers': ALLOWED_HEADERS,
          'Access-Control-Max-Age': PREFLIGHT_SECONDS,
        })
        .end();
      return true;
    },
  };

  function refusalOf(request: IncomingMessage): string | null {
    const { origin, host } = request.headers;
    // Browsers name the page's origin in every cross-site POST and WebSocket; other programs send none.
    if (origin !== undefined) return refusalOfPage(origin, host);
    return isOfAnotherSite(request) && !isFollowedLink(request) ? OF_ANOTHER_SITE : null;
  }

  function ownOriginOf(origin = '', host = ''): string | null {
    if (origin === ownOrigin) return origin;
    if (!URL.canParse(origin) || !/^https?:/.test(origin)) return null;
    // On the host of an https:// page, a page that came over http:// may be anybody's on the way.
    if (ownOrigin !== null && new URL(ownOrigin).host === new URL(origin).host) return null;
    return new URL(origin).host === host ? new URL(origin).origin : null;
  }

  function refusalOfPage(origin: string, host = ''): string | null {
    if (origin === ownOrigin || allowed.has(origin)) return null;
    if (!URL.canParse(origin) || !/^https?:/.test(origin)) return OF_ANOTHER_SITE;
    if (new URL(origin).host === host) return null;
    return (
      `The page at ${shortened(origin)} is refused, because this request reached the server as "${shortened(host)}". ` +
      'If a reverse proxy leads people from that address to this server, set PUBLIC_URL to it; ' +
      'if it is the page of another site that may use this server, add it to CORS_ORIGINS.'
    );
  }
}

const OF_ANOTHER_SITE = 'Requests of other sites are refused; CORS_ORIGINS names sites that are allowed.';

function shortened(text: string): string {
  return text.slice(0, 255);
}

/** Fetch Metadata: browsers send it to https:// and loopback addresses. Another port of a site is another program. */
function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site';
}

function isFollowedLink({ method = '', headers }: IncomingMessage): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && isRead(method);
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
