import type { IncomingMessage, ServerResponse } from 'node:http';
import { NOTHING_POLICY } from './security-headers.js';
import { readStaticFiles, type StaticFile, sendStaticFile, withText } from './static-files.js';

/** Built files whose name changes with their content. */
const HASHED = /^\/assets\//;
/** What reads crashes in the browser: the browser itself forbids it to send anything anywhere. */
const DECODE_WORKER = /^\/assets\/decode-worker-[^/]*\.js$/;

/**
 * Serves the web page that `npm run build` has written into `folder`: its files by their names, and `index.html` for
 * every other path that a browser opens, because the page has its own addresses (`/dumps/…`).
 *
 * The few files are read once. When they do not exist, because the program was not built, the server has only its APIs.
 *
 * @param basePath path below which people reach the server; empty at the root
 * @param issuerOrigins where the page signs people in: the only other hosts that it may call; read for each answer
 * @returns false when the request is neither for a file of the page nor from a browser
 */
export function createPageRoute({
  folder,
  basePath,
  issuerOrigins,
}: {
  folder: string;
  basePath: string;
  issuerOrigins: () => readonly string[];
}) {
  const files = readStaticFiles(folder);
  const built = files.get('/index.html');
  const index = built === undefined ? undefined : withBasePath(built, basePath);

  return function page(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const isIndex = path === '/index.html' || (!files.has(path) && isAddress(request, path));
    const file = isIndex ? index : files.get(path);
    if (file === undefined) return false;
    const cacheControl = HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
    // A crash that was shared with somebody is not for search engines.
    if (path === '/shared') response.setHeader('X-Robots-Tag', 'noindex');
    const policy = DECODE_WORKER.test(path) ? NOTHING_POLICY : pagePolicy(issuerOrigins());
    sendStaticFile(request, response, file, {
      cacheControl,
      headers: { 'Content-Security-Policy': policy, ...SAFE_HEADERS },
    });
    return true;
  };
}

function isAddress(request: IncomingMessage, path: string): boolean {
  if (path === '/') return true;
  return !/^\/(api|assets)(\/|$)/.test(path) && (request.headers.accept ?? '').includes('text/html');
}

const SAFE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** No foreign content, no inline script: markup from a hostile dump that reaches the page is not executed. */
function pagePolicy(issuerOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    ['connect-src', "'self'", ...issuerOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * The built page has relative addresses (`./assets/…`), which would be wrong at `/dumps/…`: they become absolute. It
 * reads the base path from one of them (`src/dashboard/base-path.ts`).
 */
function withBasePath(index: StaticFile, basePath: string): StaticFile {
  return withText(index, (html) => html.replaceAll('="./', `="${basePath}/`));
}
