import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { sendInPieces } from './send-in-pieces.js';

interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Keys are names of Content-Encoding. */
  readonly bodies: ReadonlyMap<Encoding, Buffer>;
}

type Encoding = 'identity' | 'br' | 'gzip';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Built files whose name changes with their content. */
const HASHED = /^\/assets\//;

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
  const files = readFiles(folder);
  const built = files.get('/index.html');
  const index = built === undefined ? undefined : withBasePath(built, basePath);

  return function page(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const isIndex = path === '/index.html' || (!files.has(path) && isAddress(request, path));
    const file = isIndex ? index : files.get(path);
    if (file === undefined) return false;
    const headers = securityHeaders(issuerOrigins());
    send(request, response, file, { isHashed: HASHED.test(path), headers });
    return true;
  };
}

function isAddress(request: IncomingMessage, path: string): boolean {
  if (path === '/') return true;
  return !/^\/(api|assets)(\/|$)/.test(path) && (request.headers.accept ?? '').includes('text/html');
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  file: PageFile,
  { isHashed, headers }: { isHashed: boolean; headers: Record<string, string> },
): void {
  // Also for "not modified": browsers replace the stored headers by those of that answer.
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('ETag', file.etag);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304).end();
    return;
  }
  const { encoding, body } = smallest(file, request.headers['accept-encoding']);
  response.writeHead(200, {
    'Content-Type': file.type,
    'Content-Length': body.byteLength,
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  });
  if (request.method === 'HEAD') response.end();
  else sendInPieces(response, body);
}

/** No foreign content, no inline script: markup from a hostile dump that reaches the page is not executed. */
function securityHeaders(issuerOrigins: readonly string[]): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ['connect-src', "'self'", ...issuerOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

function smallest(file: PageFile, accepted = ''): { encoding: Encoding; body: Buffer } {
  const names = accepted.split(',').map((part) => part.trim().toLowerCase());
  for (const encoding of ['br', 'gzip'] as const) {
    const body = file.bodies.get(encoding);
    // "br;q=0" refuses it; browsers send the bare names.
    if (body !== undefined && names.some((name) => name === encoding)) return { encoding, body };
  }
  return { encoding: 'identity', body: file.bodies.get('identity') ?? Buffer.alloc(0) };
}

/**
 * The built page has relative addresses (`./assets/…`), which would be wrong at `/dumps/…`: they become absolute. It
 * reads the base path from one of them (`src/dashboard/base-path.ts`).
 */
function withBasePath({ type, bodies }: PageFile, basePath: string): PageFile {
  const html = (bodies.get('identity') ?? Buffer.alloc(0)).toString('utf8');
  const content = Buffer.from(html.replaceAll('="./', `="${basePath}/`));
  return {
    type,
    etag: etagOf(content),
    bodies: new Map<Encoding, Buffer>([
      ['identity', content],
      ['br', brotliCompressSync(content)],
      ['gzip', gzipSync(content)],
    ]),
  };
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

function readFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  if (!existsSync(folder)) return files;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = join(folder, name);
    const content = readFileSync(path);
    const bodies = new Map<Encoding, Buffer>([['identity', content]]);
    if (existsSync(`${path}.br`)) bodies.set('br', readFileSync(`${path}.br`));
    if (existsSync(`${path}.gz`)) bodies.set('gzip', readFileSync(`${path}.gz`));
    files.set(`/${name.replaceAll(sep, '/')}`, { type, etag: etagOf(content), bodies });
  }
  return files;
}
