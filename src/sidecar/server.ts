import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { prepareTransferFolder } from '../platform/files/transfer-folder.js';
import type { Logger } from '../platform/logger.js';
import { PARSE_WORKER_FILE } from '../platform/program-files.js';
import { type ParsePool, type PoolOutcome, startParsePool } from './parse-pool.js';
import { openRomLibrary } from './rom-library.js';
import { isTransferName } from './transfer-file.js';
import type { ParseTask } from './worker.js';

export interface Sidecar {
  readonly url: string;
  /** Accepts no more requests, waits some seconds for those in flight, then ends the workers. */
  close(): Promise<void>;
}

interface SidecarOptions {
  host?: string;
  /** 0: any free port. */
  port: number;
  /** The folder of the files that requests name; created when it is missing. */
  xferDir: string;
  log: Logger;
  /** See `Config.romElfDir`. */
  romElfDir?: string | null;
  /** Number of dumps that are parsed at once. */
  workers?: number;
  /** The built file of a worker; it does not exist beside the sources. */
  workerFile?: string;
  /** Limit of one parse; should be shorter than the server's `PARSE_TIMEOUT_MS`. */
  timeoutMs?: number;
  /** Heap limit of one worker, without the bytes of the files. */
  maxOldSpaceMb?: number;
}

const STOP_GRACE_MS = 4_000;
const HEAD_TIMEOUT_MS = 10_000;
/** The longest valid request line has two names of 255 characters. */
const MAX_HEAD_BYTES = 8 * 1024;

/**
 * The bundled parse sidecar: docs/sidecar-protocol.md over HTTP, in front of a pool of workers.
 * @throws Error of node:net when the port is taken, and one with a clear sentence when the transfer folder cannot be
 * written or the folder of ROM ELFs cannot be read
 */
export async function startSidecar({
  host = '127.0.0.1',
  port,
  xferDir,
  log,
  romElfDir = null,
  workers = availableParallelism(),
  workerFile = PARSE_WORKER_FILE,
  timeoutMs = 25_000,
  maxOldSpaceMb = 512,
}: SidecarOptions): Promise<Sidecar> {
  // Each worker opens the folder itself; this check makes the start fail when it cannot be read.
  openRomLibrary(romElfDir);
  await prepareTransferFolder(xferDir);
  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS,
  });
  const pool = await startParsePool({ workers, workerFile, timeoutMs, maxOldSpaceMb, log });
  const routes = createRoutes({
    pool,
    folders: { xferDir: resolve(xferDir), romElfDir: romElfDir === null ? null : resolve(romElfDir) },
    log,
  });
  server.on('request', async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    send(response, await routes(request, gone.signal));
  });

  try {
    await startListening(server, host, port);
  } catch (error) {
    await pool.close();
    throw error;
  }

  return {
    url: urlOf(host, server.address() as AddressInfo),
    async close() {
      const ended = new Promise<void>((done) => server.close(() => done()));
      const grace = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
      await ended;
      clearTimeout(grace);
      await pool.close();
    },
  };
}

interface Answer {
  status: number;
  /** JSON */
  body: string;
  headers?: Record<string, string>;
}

type Folders = Pick<ParseTask, 'xferDir' | 'romElfDir'>;

/** @returns the handler of requests, which never rejects */
function createRoutes({ pool, folders, log }: { pool: ParsePool; folders: Folders; log: Logger }) {
  return async function answer(request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
    if (request.method !== 'GET') {
      return refusal(405, 'use GET here', { Allow: 'GET', Connection: 'close' });
    }
    // No request of the protocol has a body, and an unread body could be endless.
    if (hasBody(request)) return refusal(413, 'a request here has no body', { Connection: 'close' });

    const url = parseUrl(request);
    if (url?.pathname === '/healthz') return { status: 200, body: JSON.stringify({ status: 'ok' }) };
    if (url?.pathname === '/parse-coredump') return parse(url.searchParams, gone);
    return refusal(404, 'there is only /parse-coredump and /healthz here');
  };

  async function parse(query: URLSearchParams, gone: AbortSignal): Promise<Answer> {
    const asked = readQuery(query);
    if (typeof asked === 'string') return refusal(400, asked);

    const startedAt = performance.now();
    const outcome = await pool.parse({ ...asked, ...folders }, gone);
    const entry = { ...asked, status: outcome.status, ms: Math.round(performance.now() - startedAt) };
    if (outcome.status === 'parsed') log.debug(entry, 'parsed');
    else log.warn({ ...entry, reason: outcome.reason }, 'not parsed');
    return toAnswer(outcome);
  }
}

/** @returns the task, or the error in the query */
function readQuery(query: URLSearchParams): Omit<ParseTask, keyof Folders> | string {
  for (const name of ['core', 'elf', 'chip']) {
    if (query.getAll(name).length > 1) return `${name} is given twice`;
  }
  const core = query.get('core') ?? '';
  // Without a build the server leaves it out.
  const elf = query.get('elf');
  const chip = query.get('chip') ?? 'auto';
  if (!isTransferName(core)) return 'core is not the name of a file in the transfer folder';
  if (elf !== null && !isTransferName(elf)) return 'elf is not the name of a file in the transfer folder';
  if (!/^[A-Za-z0-9._+-]{1,64}$/.test(chip)) return 'chip is not the name of a chip';
  return { core, elf, chip };
}

/** The only place where outcomes become statuses. */
function toAnswer(outcome: PoolOutcome): Answer {
  switch (outcome.status) {
    case 'parsed':
      return { status: 200, body: outcome.body };
    case 'unreadable':
      return refusal(422, outcome.reason);
    case 'no crash':
      return { status: 422, body: outcome.body };
    case 'missing':
      return refusal(404, outcome.reason);
    case 'refused':
      return refusal(400, outcome.reason);
    case 'failed':
      return refusal(500, outcome.reason);
    case 'busy':
      return refusal(503, outcome.reason, { 'Retry-After': '1' });
  }
}

function refusal(status: number, error: string, headers: Record<string, string> = {}): Answer {
  return { status, body: JSON.stringify({ error }), headers };
}

/** Also after the client has disconnected: node:http drops what is written then. */
function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response
    .writeHead(status, {
      ...headers,
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    })
    .end(body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function parseUrl(request: IncomingMessage): URL | null {
  const base = 'http://localhost';
  return URL.canParse(request.url ?? '', base) ? new URL(request.url ?? '', base) : null;
}

async function startListening(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((listening, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      listening();
    });
  });
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
