import { pipeline } from 'node:stream/promises';
import { runAs } from '../auth/actor.js';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import { notFound } from '../errors.js';
import type { FirmwareService } from '../firmware/service.js';
import { decodeGlobalId } from '../global-ids.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { attachment } from './attachment.js';
import type { Exchange } from './exchange.js';
import type { SessionOf } from './page-sessions.js';

/** `GET /api/firmwares/{id}/firmware.elf`: the ELF of a build, for `addr2line`, GDB and scripts. */
export function createFirmwareDownloadRoute({
  firmwares,
  gatekeeper,
  clientAddress,
  sessionOf,
}: {
  firmwares: Pick<FirmwareService, 'openElf' | 'noteElfDownload'>;
  gatekeeper: Pick<Gatekeeper, 'admitUploaders'>;
  clientAddress: ClientAddress;
  sessionOf: SessionOf;
}) {
  return async function downloadFirmware(
    { request, response, requestId }: Exchange,
    id: string,
  ): Promise<void> {
    const address = clientAddress(request);
    const { authorization } = request.headers;
    const person = await gatekeeper.admitUploaders(address, authorization, sessionOf(request));
    const firmwareId = decodeGlobalId('Firmware', id);
    if (firmwareId === null) throw notFound('firmware', id.slice(0, 64));
    const elf = await firmwares.openElf(firmwareId, person);
    const { size, stream, firmware, modelCode } = elf;
    const etag = `"${firmware.elfSha256}"`;
    response.setHeader('ETag', etag);
    const isUnchanged = request.headers['if-none-match'] === etag;
    if (isUnchanged || request.method === 'HEAD') {
      stream.destroy();
      response
        .writeHead(isUnchanged ? 304 : 200, isUnchanged ? {} : attachment(nameOf(firmware, modelCode), size))
        .end();
      return;
    }
    try {
      await runAs({ person, address, requestId }, () => firmwares.noteElfDownload(elf));
    } catch (error) {
      stream.destroy();
      throw error;
    }
    response.writeHead(200, attachment(nameOf(firmware, modelCode), size));
    // After the first bytes only a closed connection shows the client that the file is incomplete.
    await pipeline(stream, response).catch(() => response.destroy());
  };
}

/** Both parts consist of characters that need no quoting in a header. */
function nameOf({ version }: { version: string }, modelCode: string): string {
  return `${modelCode}-${version}.elf`;
}
