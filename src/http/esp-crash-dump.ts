import { open } from 'node:fs/promises';
import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import { DeviceRejected } from '../auth/device-credentials.js';
import { PEEK_BYTES, peek } from '../coredumps/peek-dump.js';
import type { CoredumpService } from '../coredumps/service.js';
import { badInput, DomainError } from '../errors.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendText } from '../platform/http/send-json.js';
import type { Metrics } from '../platform/metrics.js';
import { PATIENT_LINGER_MS, readBody } from './body.js';
import { bunzipped } from './bunzip.js';
import type { CrossOrigin } from './cors.js';
import { findEspCrashIdentity, versionLabelOf } from './esp-crash-identity.js';
import type { createEspCrashSenders } from './esp-crash-sender.js';
import type { StreamedExchange } from './exchange.js';
import { readFormFile } from './form-file.js';
import { refuseStreamed } from './refuse-streamed.js';
import type { UploadLimits, UploadPermit } from './upload-limits.js';

interface EspCrashDumpDeps {
  /** ESP_CRASH_ROUTES */
  isOpen: boolean;
  crossOrigin: Pick<CrossOrigin, 'refusalOf'>;
  coredumps: Pick<CoredumpService, 'saveUnidentified'>;
  findSender: ReturnType<typeof createEspCrashSenders>;
  metrics: Metrics;
  limits: UploadLimits;
  attemptLimiter: AttemptLimiter;
  clientAddress: ClientAddress;
  maxBytes: number;
  stallMs: number;
  deadlineMs: number;
}

const DATABASE_WAIT_MS = 10_000;

/**
 * `POST /dump`: the dump as esp-crash's component sends it (docs/migrating.md). The component erases its dump at every
 * status below 500, also when it gets no answer. So the answer is 200 once the dump is durable; all refusals have the
 * form `kept dump`, and come when the body was read, because the component reads nothing before it has sent it. A dump
 * that has arrived is stored also if the component does not wait for the answer.
 */
export function createEspCrashDumpRoute({
  isOpen,
  crossOrigin,
  coredumps,
  findSender,
  metrics,
  limits,
  attemptLimiter,
  clientAddress,
  maxBytes,
  stallMs,
  deadlineMs,
}: EspCrashDumpDeps) {
  return async function dump(exchange: StreamedExchange): Promise<void> {
    const { request, response, search, requestId, signal, log } = exchange;
    const end = metrics.uploadSeconds.startTimer();
    let endUpload = () => {};
    try {
      if (!isOpen) throw closed();
      const foreign = isOfPage(request.headers.origin) ? crossOrigin.refusalOf(request) : null;
      if (foreign !== null) throw new DomainError('FORBIDDEN', foreign);
      endUpload = limits.enter();
      const key = new URLSearchParams(search).get('key');
      if (request.headers.expect !== undefined) response.writeContinue();
      const body = readBody(request, { stallMs, deadlineMs, signal });
      const from = { address: clientAddress(request), requestId };
      const { coredump, isDuplicate } = await readFormFile(request, body, 'file', ({ stream }) =>
        save({ body: bunzipped(stream, maxBytes), key, from }),
      );
      sendText(response, 200, 'OK');
      metrics.uploads.inc({ status: 'success' });
      const { deviceId, filename, size } = coredump;
      log.info({ deviceId, filename, size, isDuplicate }, 'core dump stored');
    } catch (error) {
      // A rejected device may erase its dump: nobody wants it.
      const form = error instanceof DeviceRejected ? 'text' : 'kept dump';
      const code = refuseStreamed(exchange, error, { form, lingerMs: PATIENT_LINGER_MS });
      metrics.uploads.inc({ status: 'error' });
      metrics.uploadErrors.inc({ code });
      log.warn(
        { code, reason: error instanceof DomainError ? error.message : undefined },
        'core dump refused',
      );
    } finally {
      endUpload();
      end();
    }
  };

  async function save({ body, key, from }: Received) {
    let permit: UploadPermit | undefined;
    let isStored = false;
    try {
      const saved = await coredumps.saveUnidentified({
        body,
        async identify(file) {
          const identity = await findEspCrashIdentity(file);
          if (identity === null) throw nameless();
          const device = await attemptLimiter.watch(from.address, () =>
            withDeadline(findSender(identity, key, from), DATABASE_WAIT_MS),
          );
          permit = limits.permitFor(device);
          if (!permit.isGranted) throw limits.overRate(permit.retryAfterMs);
          return {
            device,
            chip: await chipOf(file),
            firmwareVersion: versionLabelOf(identity.version),
            idempotencyKey: null,
            databaseWaitMs: DATABASE_WAIT_MS,
          };
        },
      });
      isStored = !saved.isDuplicate;
      return saved;
    } finally {
      if (!isStored && permit?.isGranted) permit.release();
    }
  }
}

interface Received {
  body: AsyncIterable<Uint8Array>;
  /** The ingest key in the URL. */
  key: string | null;
  from: { address: string; requestId: string };
}

/** The component does not say the chip, but the dump does. `auto`: the reader is to find it out. */
async function chipOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, PEEK_BYTES));
    await handle.read(bytes, 0, bytes.length, 0);
    const identity = peek(bytes);
    return typeof identity === 'string' ? 'auto' : (identity.dumpChip ?? 'auto');
  } finally {
    await handle.close();
  }
}

/** A browser's Origin has no path. The component sends its whole URL, with the host that it knows. */
function isOfPage(origin: string | undefined): boolean {
  return origin !== undefined && !/^https?:\/\/[^/]+\//.test(origin);
}

function closed(): DomainError {
  return new DomainError(
    'UNAVAILABLE',
    'This server does not take the dumps of esp-crash: its admin opens the route with ESP_CRASH_ROUTES=true.',
  );
}

function nameless(): DomainError {
  return badInput(
    'The dump has no "ESP_CRASH:project;version;device;" in it: call esp_crash_identifier_setup() in the firmware.',
  );
}
