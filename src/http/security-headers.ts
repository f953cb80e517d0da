import type { ServerResponse } from 'node:http';

/** Run nothing, load nothing, be in no frame: for answers that are no pages. */
export const NOTHING_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** GraphiQL is one page with its script and style inside, and workers that it makes of them; before it comes a form. */
export const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const SAFE_HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  // Dumps hold what was in a device's memory, and answers have parts of them.
  ['Cache-Control', 'no-store'],
] as const;

/**
 * What every answer says to browsers, unless a route has better: take it for the type that it names and nothing else,
 * show it in no frame, run nothing in it, keep no copy, send no referrer.
 */
export function setSafeHeaders(response: ServerResponse, contentPolicy: string): void {
  for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value);
  response.setHeader('Content-Security-Policy', contentPolicy);
}

/** The same for answers that are written without a response, because the request was none. */
export const SAFE_HEADER_LINES = [...SAFE_HEADERS, ['Content-Security-Policy', NOTHING_POLICY] as const]
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
