import type { IncomingMessage, ServerResponse } from 'node:http';

/** The sites whose web pages may read answers and send requests that need a preflight. */
export interface CrossOrigin {
  /** Whether a browser sent the request from a page of another site that is not allowed. */
  isForeign(request: IncomingMessage): boolean;
  /**
   * Whether a browser loads the URL for a page of another site as an image, script, stream or fetch. The page cannot
   * read the answer, but the server would work for it. False when a person follows a link.
   */
  isEmbedded(request: IncomingMessage): boolean;
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
  ...['Apollo-Require-Preflight', 'X-Apollo-Operation-Name'],
  ...['Apollographql-Client-Name', 'Apollographql-Client-Version'],
  ...['Traceparent', 'Tracestate', 'Baggage', 'Sentry-Trace'],
].join(', ');

/** How long a browser may cache the answer to a preflight. */
const PREFLIGHT_SECONDS = 600;

/**
 * @param origins `https://dashboard.example`, compared literally; when empty, no page of another site is allowed
 * @param ownOrigin the public origin, where a proxy forwards another `Host`
 */
export function createCrossOrigin(origins: readonly string[], ownOrigin: string | null = null): CrossOrigin {
  const allowed = new Set(origins);
  return {
    isForeign,
    isEmbedded(request) {
      return isOfAnotherSite(request) && !isFollowedLink(request) && isForeign(request);
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

  function isForeign(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    // Browsers name the page's origin in every cross-site POST and WebSocket; other programs send none.
    if (origin === undefined) return isOfAnotherSite(request) && !isFollowedLink(request);
    if (origin === ownOrigin || allowed.has(origin)) return false;
    return !URL.canParse(origin) || new URL(origin).host !== host;
  }
}

/** Fetch Metadata: browsers send it to https:// and loopback addresses. Another port of a site is another program. */
function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site';
}

function isFollowedLink({ method, headers }: IncomingMessage): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD');
}
