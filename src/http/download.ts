import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { runAs } from '../auth/actor.js';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Reader } from '../auth/principal.js';
import { SessionEnded } from '../auth/session-lookup.js';
import { NAMES } from '../coredumps/kind.js';
import type { CoredumpService } from '../coredumps/service.js';
import type { CoredumpKind, CoredumpRow } from '../coredumps/types.js';
import { toCoreElf, UnreadableDump } from '../crashdump/index.js';
import { conflict, notFound } from '../errors.js';
import { decodeGlobalId } from '../global-ids.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { attachment } from './attachment.js';
import type { Exchange } from './exchange.js';
import type { SessionOf } from './page-sessions.js';

interface DownloadDeps {
  coredumps: CoredumpService;
  gatekeeper: Pick<Gatekeeper, 'admit' | 'admitByLink'>;
  clientAddress: ClientAddress;
  sessionOf: SessionOf;
}

/** `GET /api/coredumps/{id}/download` and `GET /api/devices/{device}/coredumps/{id}/download` (docs/api.md). */
export function createDownloadRoute(deps: DownloadDeps) {
  const { coredumps, clientAddress } = deps;
  return async function download(
    { request, response, search, requestId }: Exchange,
    { id, device }: DumpPath,
  ): Promise<void> {
    try {
      const dumpId = decodeGlobalId('Coredump', id);
      const person = await authenticate(deps, request, search, dumpId ?? 0);
      if (dumpId === null) throw notFound('core dump', id.slice(0, 64));
      const { coredump, size, stream } = await coredumps.open(
        dumpId,
        person.kind,
        device === undefined ? undefined : named(device),
      );
      const etag = `"${coredump.sha256}"`;
      response.setHeader('ETag', etag);
      if (request.headers['if-none-match'] === etag || request.method === 'HEAD') {
        stream.destroy();
        const isUnchanged = request.headers['if-none-match'] === etag;
        response.writeHead(isUnchanged ? 304 : 200, isUnchanged ? {} : rawAttachment(coredump, size)).end();
        return;
      }
      await runAs({ person, address: clientAddress(request), requestId }, () =>
        coredumps.noteDownload(coredump),
      ).catch((error: unknown) => {
        stream.destroy();
        throw error;
      });
      response.writeHead(200, rawAttachment(coredump, size));
      await pipeline(stream, response);
    } catch (error) {
      // After the first bytes only a closed connection shows the client that the file is incomplete.
      if (!response.headersSent) throw error;
      response.destroy();
    }
  };
}

/**
 * `GET /api/coredumps/{id}/core.elf`: the core that GDB opens, made of the raw bytes and with the rights that they need.
 */
export function createCoreElfRoute(deps: DownloadDeps) {
  const { coredumps, clientAddress } = deps;
  return async function coreElf(
    { request, response, search, requestId }: Exchange,
    { id }: Pick<DumpPath, 'id'>,
  ): Promise<void> {
    const dumpId = decodeGlobalId('Coredump', id);
    const person = await authenticate(deps, request, search, dumpId ?? 0);
    if (dumpId === null) throw notFound('core dump', id.slice(0, 64));
    const { coredump, stream } = await coredumps.open(dumpId, person.kind);
    if (coredump.kind !== 'CORE_DUMP') {
      stream.destroy();
      throw conflict(
        `There is no core ELF: this is a ${NAMES[coredump.kind]}, which has no memory that GDB could open.`,
      );
    }
    const elf = readableElf(await buffer(stream));
    if (request.method !== 'HEAD') {
      await runAs({ person, address: clientAddress(request), requestId }, () =>
        coredumps.noteDownload(coredump),
      );
    }
    response.writeHead(200, attachment(coredump.filename.replace(/(\.dmp)?$/, '.elf'), elf.length));
    response.end(request.method === 'HEAD' ? undefined : elf);
  };
}

/** A text opens where texts open. It is saved as it is, in whatever encoding it has. */
const FORMS: Readonly<Record<CoredumpKind, { suffix: string; contentType: string }>> = {
  CORE_DUMP: { suffix: '.dmp', contentType: 'application/octet-stream' },
  PANIC_TEXT: { suffix: '.txt', contentType: 'text/plain' },
  SUMMARY: { suffix: '.json', contentType: 'application/json' },
};

function rawAttachment({ kind, filename }: CoredumpRow, size: number) {
  const { suffix, contentType } = FORMS[kind];
  return attachment(filename.replace(/\.dmp$/, suffix), size, contentType);
}

function readableElf(dump: Uint8Array): Uint8Array {
  try {
    return toCoreElf(dump);
  } catch (error) {
    if (error instanceof UnreadableDump) throw conflict(`There is no core ELF: ${error.message}`);
    throw error;
  }
}

/**
 * A header or a session takes precedence over a link, because it says more about the person. A session that has ended does
 * not prevent the use of a link.
 */
async function authenticate(
  { gatekeeper, clientAddress, sessionOf }: DownloadDeps,
  request: IncomingMessage,
  search: string,
  dumpId: number,
): Promise<Reader> {
  const { authorization } = request.headers;
  const link = new URLSearchParams(search).get('link');
  const address = clientAddress(request);
  const session = sessionOf(request);
  if (link === null || authorization !== undefined) return gatekeeper.admit(address, authorization, session);
  if (session === undefined) return gatekeeper.admitByLink(address, dumpId, link);
  return gatekeeper.admit(address, undefined, session).catch((error: unknown) => {
    if (error instanceof SessionEnded) return gatekeeper.admitByLink(address, dumpId, link);
    throw error;
  });
}

interface DumpPath {
  /** The global id of the dump. */
  id: string;
  device?: string;
}

/** A device's key, or its global id. */
function named(device: string): { id: number } | { key: string } {
  const id = decodeGlobalId('Device', device);
  return id === null ? { key: device } : { id };
}
