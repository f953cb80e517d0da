import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Authenticator } from '../auth/authenticator.js';
import { requirePerson } from '../auth/principal.js';
import type { CoredumpService } from '../coredumps/service.js';
import { notFound } from '../errors.js';
import { decodeGlobalId } from '../ids.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { sendError } from './errors.js';

interface DownloadDeps {
  coredumps: CoredumpService;
  auth: Pick<Authenticator, 'authenticate'>;
  clock: Pick<Clock, 'now'>;
}

/** `GET /api/coredumps/{id}/download` and `GET /api/devices/{device}/coredumps/{id}/download` (contract §3). */
export function createDownloadRoute({ coredumps, auth, clock }: DownloadDeps) {
  return async function download(
    request: IncomingMessage,
    response: ServerResponse,
    { id, device, log }: { id: string; device?: string; log: Logger },
  ): Promise<void> {
    try {
      requirePerson(await auth.authenticate(request.headers.authorization), clock.now());
      const dumpId = decodeGlobalId('Coredump', id);
      if (dumpId === null) throw notFound('core dump', id.slice(0, 64));
      const { coredump, size, stream } = await coredumps.open(
        dumpId,
        device === undefined ? undefined : named(device),
      );
      const etag = `"${coredump.sha256}"`;
      response.setHeader('ETag', etag);
      response.setHeader('Cache-Control', 'private, no-cache');
      if (request.headers['if-none-match'] === etag || request.method === 'HEAD') {
        stream.destroy();
        const isUnchanged = request.headers['if-none-match'] === etag;
        response
          .writeHead(isUnchanged ? 304 : 200, isUnchanged ? {} : headersOf(coredump.filename, size))
          .end();
        return;
      }
      response.writeHead(200, headersOf(coredump.filename, size));
      await pipeline(stream, response);
    } catch (error) {
      // Once bytes are on their way only breaking off tells the client that they are not all.
      if (response.headersSent) response.destroy();
      else sendError(response, error, log);
    }
  };
}

/** A device's key, or its global id. */
function named(device: string): { id: number } | { key: string } {
  const id = decodeGlobalId('Device', device);
  return id === null ? { key: device } : { id };
}

function headersOf(filename: string, size: number) {
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Content-Disposition': `attachment; filename="${filename}"`,
    'X-Content-Type-Options': 'nosniff',
  };
}
