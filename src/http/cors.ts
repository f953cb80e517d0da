import type { IncomingMessage, ServerResponse } from 'node:http';

/** The sites whose web pages may read answers and send what a browser would not send by itself. */
export interface CrossOrigin {
  /** Whether a browser has sent this from a page of another site that nobody allowed. */
  isForeign(request: IncomingMessage): boolean;
  /**
   * Whether a browser asks on behalf of a page of another site, which cannot read the answer but makes us work for it:
   * as its image, script, stream or fetch. A person who follows a link is none.
   */
  isEmbedded(request: IncomingMessage): boolean;
  /**
   * Says which pages may read the answer. To be called before anything else is done with a request.
   *
   * @returns true when that was all that the browser wanted to know, and the answer has been given
   */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** How long a browser may remember the answer to a preflight. */
const PREFLIGHT_SECONDS = 600;

/**
 * @param origins `https://dashboard.example`, compared as they are; with none, no page of another site gets anything
 * @param ownOrigin the origin that people see, where a proxy passes on another `Host`
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
      // For origins that are not allowed as well: a cache would give them the answer of an allowed one.
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
          'Access-Control-Allow-Headers':
            'Accept, Authorization, Content-Type, Idempotency-Key, If-None-Match',
          'Access-Control-Max-Age': PREFLIGHT_SECONDS,
        })
        .end();
      return true;
    },
  };

  function isForeign(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    // Browsers name the page's origin in every cross-site POST and WebSocket; other programs do not have one.
    if (origin === undefined) return isOfAnotherSite(request) && !isFollowedLink(request);
    if (origin === ownOrigin || allowed.has(origin)) return false;
    return !URL.canParse(origin) || new URL(origin).host !== host;
  }
}

/** Fetch Metadata, which browsers send to https:// and loopback addresses. Another port of a site is another program. */
function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site';
}

function isFollowedLink({ method, headers }: IncomingMessage): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD');
}
