import { Readable } from 'node:stream';
import { runAs } from '../auth/actor.js';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import { assertMayUploadFor, hasRole, refusalOf } from '../auth/principal.js';
import { badInput, DomainError } from '../errors.js';
import type { FirmwareService } from '../firmware/service.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendText } from '../platform/http/send-json.js';
import { readBody } from './body.js';
import { bunzipped } from './bunzip.js';
import { findEspCrashIdentity, modelCodeOf, versionLabelOf } from './esp-crash-identity.js';
import type { StreamedExchange } from './exchange.js';
import { readFormFile } from './form-file.js';
import { refuseStreamed } from './refuse-streamed.js';

interface EspCrashElfDeps {
  /** ESP_CRASH_ROUTES */
  isOpen: boolean;
  firmwares: Pick<FirmwareService, 'uploadUnidentified'>;
  gatekeeper: Gatekeeper;
  clientAddress: ClientAddress;
  maxBytes: number;
  stallMs: number;
  deadlineMs: number;
}

/**
 * `POST /upload_elf?project_name=…&project_ver=…`: a build as esp-crash's users send it from CI, with curl
 * (docs/migrating.md). Both names may also be fields of the form; else the ELF says them, as its component does.
 */
export function createEspCrashElfRoute({
  isOpen,
  firmwares,
  gatekeeper,
  clientAddress,
  maxBytes,
  stallMs,
  deadlineMs,
}: EspCrashElfDeps) {
  return async function uploadElf(exchange: StreamedExchange): Promise<void> {
    const { request, response, search, requestId, signal, log } = exchange;
    try {
      if (!isOpen) throw new DomainError('NOT_FOUND', 'This route is closed (ESP_CRASH_ROUTES).');
      const address = clientAddress(request);
      const person = await gatekeeper.admitUploaders(address, bearerOf(request.headers.authorization));
      if (!hasRole(person, 'uploader')) throw refusalOf(person, 'admins and uploaders');
      if (request.headers.expect !== undefined) response.writeContinue();
      const body = readBody(request, { stallMs, deadlineMs, signal });
      const firmware = await runAs({ person, address, requestId }, () =>
        readFormFile(request, body, 'file', ({ stream, fields }) =>
          firmwares.uploadUnidentified({
            bundle: {
              filename: 'esp-crash.elf',
              stream: Readable.from(bunzipped(stream, maxBytes)),
              truncated: () => false,
            },
            async identify(file) {
              const names = await namesOf(file, new URLSearchParams(search), await fields);
              assertMayUploadFor(person, names.modelCode);
              return names;
            },
          }),
        ),
      );
      sendText(response, 200, 'OK');
      log.info({ firmwareId: firmware.id, version: firmware.version }, 'firmware stored');
    } catch (error) {
      refuseStreamed(exchange, error, { form: 'text' });
    }
  };
}

/** The form's fields count before the query, as in esp-crash. @throws DomainError BAD_USER_INPUT */
async function namesOf(file: string, query: URLSearchParams, fields: ReadonlyMap<string, string>) {
  const stated = (name: string) => fields.get(name) || query.get(name) || null;
  const project = stated('project_name');
  const version = stated('project_ver');
  const identity = project === null || version === null ? await findEspCrashIdentity(file) : null;
  const modelName = project ?? identity?.project;
  const versionName = version ?? identity?.version;
  if (modelName === undefined) throw missing('project_name');
  if (versionName === undefined) throw missing('project_ver');
  // Devices name this version in their dumps, whatever the ELF's own descriptor says.
  return {
    modelCode: modelCodeOf(modelName),
    version: versionLabelOf(versionName),
    allowVersionMismatch: true,
  };
}

/** CI that knows only a URL can have its token there: curl sends `https://ci:TOKEN@host` as Basic. */
function bearerOf(authorization: string | undefined): string | undefined {
  const basic = /^Basic +([\w+/]+=*) *$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const text = Buffer.from(basic, 'base64').toString('utf8');
  return `Bearer ${text.slice(text.indexOf(':') + 1)}`;
}

function missing(parameter: string): DomainError {
  return badInput(`${parameter} is missing: give it in the query string, as in /upload_elf?${parameter}=….`);
}
