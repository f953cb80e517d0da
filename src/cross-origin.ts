import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whose web pages may read answers and send what a browser would not send by itself. */
export interface CrossOrigin {
  /** Whether a browser has sent this from a page of another site that nobody allowed. */
  isForeign(request: IncomingMessage): boolean;
  /**
   * Says which pages may read the answer. To be called before anything else is done with a request.
   *
   * @returns true when that was all that the browser wanted to know, and the answer has been given
   */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** How long a browser may remember what a preflight told it. */
const PREFLIGHT_SECONDS = 600;

/** @param origins `https://dashboard.example`, compared as they are; without one no other site's page gets anything */
export function createCrossOrigin(origins: readonly string[]): CrossOrigin {
  const allowed = new Set(origins);
  return {
    isForeign({ headers: { origin, host } }) {
      // Browsers name the page's origin in every cross-site POST and WebSocket; other programs do not have one.
      if (origin === undefined || allowed.has(origin)) return false;
      return !URL.canParse(origin) || new URL(origin).host !== host;
    },

    answer(request, response) {
      if (allowed.size === 0) return false;
      // Also to those who are not allowed, or a cache would give them the answer of one who is.
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
}
