import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Reader } from '../auth/principal.js';
import type { Export, Exports } from '../exports/service.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Exchange } from './exchange.js';
import { coredumpFilterOf, crashGroupFilterOf, deviceFilterOf } from './export-filters.js';
import { CONTENT_TYPES, type ExportFormat, WRITERS } from './export-formats.js';
import type { SessionOf } from './page-sessions.js';

/** The lists that can be exported, by their names in addresses. */
export const EXPORTED_LISTS = ['coredumps', 'crash-groups', 'devices'] as const;
export type ExportedList = (typeof EXPORTED_LISTS)[number];

/**
 * `GET /api/coredumps.csv` and the like (docs/api.md): a whole list, narrowed by the parameters that the page's list has
 * in its address. It is read while it is sent, so that neither its length nor a slow reader takes memory; a client that
 * leaves ends the reading.
 */
export function createExportRoute({
  exports,
  gatekeeper,
  clientAddress,
  sessionOf,
  now,
}: {
  exports: Exports;
  gatekeeper: Pick<Gatekeeper, 'admit'>;
  clientAddress: ClientAddress;
  sessionOf: SessionOf;
  now: () => Date;
}) {
  const lists: Record<ExportedList, (parameters: URLSearchParams, reader: Reader) => Export> = {
    coredumps: (parameters, reader) => exports.coredumps(coredumpFilterOf(parameters, now(), reader)),
    'crash-groups': (parameters) => exports.crashGroups(crashGroupFilterOf(parameters, now())),
    devices: (parameters) => exports.devices(deviceFilterOf(parameters, now())),
  };

  return async function sendList(
    { request, response, search }: Exchange,
    name: ExportedList,
    format: ExportFormat,
  ): Promise<void> {
    const { authorization } = request.headers;
    const reader = await gatekeeper.admit(clientAddress(request), authorization, sessionOf(request));
    const list = lists[name](new URLSearchParams(search), reader);
    const headers = {
      'Content-Type': CONTENT_TYPES[format],
      'Content-Disposition': `attachment; filename="${name}.${format}"`,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    };
    if (request.method === 'HEAD') {
      response.writeHead(200, headers).end();
      return;
    }
    // What fails with the first rows is still answered with its status.
    const pieces = WRITERS[format](list);
    const first = await pieces.next();
    response.writeHead(200, headers);
    // After the first bytes only a closed connection shows the client that the file is incomplete.
    await pipeline(Readable.from(joined(first, pieces), { objectMode: false }), response).catch(() =>
      response.destroy(),
    );
  };
}

async function* joined(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string, void>,
): AsyncGenerator<string, void> {
  if (first.done !== true) yield first.value;
  yield* rest;
}
