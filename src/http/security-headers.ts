import type { ServerResponse } from 'node:http';

/** Allows nothing: for answers that are not pages. */
export const NOTHING_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** GraphiQL writes styles into its page. Its scripts and workers are files; the sign-in form precedes it. */
export const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self'",
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
  // Dumps contain device memory, and answers contain parts of them.
  ['Cache-Control', 'no-store'],
] as const;

/**
 * Default headers of every answer, unless its route sets better ones: no content sniffing, no frames, no scripts, no
 * caching, no referrer.
 */
export function setSafeHeaders(response: ServerResponse, contentPolicy: string): void {
  for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value);
  response.setHeader('Content-Security-Policy', contentPolicy);
}

/** The same as text, for answers without a response object, because the bytes were not a request. */
export const SAFE_HEADER_LINES = [...SAFE_HEADERS, ['Content-Security-Policy', NOTHING_POLICY] as const]
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
