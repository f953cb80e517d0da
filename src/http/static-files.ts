import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { sendInPieces } from './send-in-pieces.js';

export interface StaticFile {
  readonly type: string;
  readonly etag: string;
  /** Keys are names of Content-Encoding; at least one of identity and gzip is there. */
  readonly bodies: ReadonlyMap<Encoding, Buffer>;
}

/** Keys are paths below the folder, such as `/assets/index-5TQs.js`. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

type Encoding = 'identity' | 'br' | 'gzip';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const SUFFIXES: Readonly<Record<string, Encoding>> = { '.br': 'br', '.gz': 'gzip' };

/** Reads all files of a built folder: each as it is, or compressed (`.br`, `.gz`), or both. Empty without a folder. */
export function readStaticFiles(folder: string): StaticFiles {
  const files = new Map<string, StaticFile & { bodies: Map<Encoding, Buffer> }>();
  if (!existsSync(folder)) return files;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const encoding = SUFFIXES[extname(name)] ?? 'identity';
    const plain = encoding === 'identity' ? name : name.slice(0, -extname(name).length);
    const type = TYPES[extname(plain)];
    if (type === undefined) continue;
    const body = readFileSync(join(folder, name));
    const path = `/${plain.replaceAll(sep, '/')}`;
    const known = files.get(path);
    if (known === undefined)
      files.set(path, { type, etag: etagOf(body), bodies: new Map([[encoding, body]]) });
    else known.bodies.set(encoding, body);
  }
  return files;
}

/** @returns the file with another text, in all encodings */
export function withText(file: StaticFile, change: (text: string) => string): StaticFile {
  const identity = Buffer.from(change(smallest(file).body.toString('utf8')));
  const bodies = new Map<Encoding, Buffer>([
    ['identity', identity],
    ['br', brotliCompressSync(identity)],
    ['gzip', gzipSync(identity)],
  ]);
  return { type: file.type, etag: etagOf(identity), bodies };
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

/** Answers with the file, in the smallest form that the client takes, or with 304 where it has the file. */
export function sendStaticFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StaticFile,
  { cacheControl, headers = {} }: { cacheControl: string; headers?: Record<string, string> },
): void {
  // Also for "not modified": browsers replace the stored headers by those of that answer.
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('ETag', file.etag);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Cache-Control', cacheControl);
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

function smallest({ bodies }: StaticFile, accepted = ''): { encoding: Encoding; body: Buffer } {
  const names = accepted.split(',').map((part) => part.trim().toLowerCase());
  for (const encoding of ['br', 'gzip'] as const) {
    const body = bodies.get(encoding);
    // "br;q=0" refuses it; browsers send the bare names.
    if (body !== undefined && names.some((name) => name === encoding)) return { encoding, body };
  }
  return { encoding: 'identity', body: bodies.get('identity') ?? gunzipSync(bodies.get('gzip') ?? '') };
}
