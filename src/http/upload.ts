import type { IncomingMessage } from 'node:http';
import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Registration } from '../devices/registration.js';
import { badInput, DomainError } from '../errors.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Metrics } from '../platform/metrics.js';
import { hasBody, readBody } from './body.js';
import { claimOf, label } from './device-claim.js';
import type { StreamedExchange } from './exchange.js';
import { refuseFormEncoded, refuseMultipart } from './form-body.js';
import { refuseStreamed } from './refuse-streamed.js';
import { type CrashStore, DATABASE_WAIT_MS } from './store-crash.js';
import { readIdempotencyKey, sendStored } from './stored-answer.js';
import type { UploadLimits } from './upload-limits.js';

interface UploadDeps {
  store: CrashStore;
  auth: Pick<Authenticator, 'authenticateDevice'>;
  registration: Registration;
  metrics: Metrics;
  limits: UploadLimits;
  attemptLimiter: AttemptLimiter;
  clientAddress: ClientAddress;
  maxBytes: number;
  stallMs: number;
  deadlineMs: number;
}

/** `POST /api/iot/coredump?chip=…&firmware_version=…` (docs/api.md): authenticate, read, save, answer. */
export function createUploadRoute({
  store,
  auth,
  registration,
  metrics,
  limits,
  attemptLimiter,
  clientAddress,
  maxBytes,
  stallMs,
  deadlineMs,
}: UploadDeps) {
  return async function upload(exchange: StreamedExchange): Promise<void> {
    const { request, response, search, signal, requestId, log } = exchange;
    const end = metrics.uploadSeconds.startTimer();
    const gone = new AbortController();
    response.once('close', () => gone.abort(new DomainError('BODY_ABORTED', 'The sender has disconnected.')));
    let endUpload = () => {};
    try {
      endUpload = limits.enter();
      const { authorization } = request.headers;
      const query = new URLSearchParams(search);
      const askedAt = performance.now();
      const address = clientAddress(request);
      const sender = await attemptLimiter.watch(address, () =>
        withDeadline(auth.authenticateDevice(authorization, claimOf(query)), DATABASE_WAIT_MS),
      );
      const waitedMs = performance.now() - askedAt;
      const chip = label(query, 'chip');
      const firmwareVersion = label(query, 'firmware_version');
      const idempotencyKey = readIdempotencyKey(request);
      refuseByHead(request);
      if (sender.isNew) registration.assertPossible(sender.newcomer);
      if (request.headers.expect !== undefined) response.writeContinue();
      const body = refuseFormEncoded(request, readBody(request, { stallMs, deadlineMs, signal }));
      const crash = { chip, firmwareVersion, idempotencyKey, body, signal: gone.signal };
      const stored = await store(sender, { address, requestId }, { ...crash, waitedMs });
      const { coredump, device, isNewDevice, isDuplicate } = stored;
      sendStored(response, stored);
      metrics.uploads.inc({ status: 'success' });
      log.info(
        { device: device.key, isNewDevice, filename: coredump.filename, size: coredump.size, isDuplicate },
        'core dump stored',
      );
    } catch (error) {
      const code = refuseStreamed(exchange, error);
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

  /** Refusals that need only the head, before the first byte of the body is read. */
  function refuseByHead(request: IncomingMessage): void {
    if (!hasBody(request)) throw badInput('The body is empty: send the raw core dump as the request body.');
    refuseMultipart(request);
    if (
      request.headers['content-encoding'] === undefined &&
      Number(request.headers['content-length']) > maxBytes
    ) {
      throw new DomainError('TOO_LARGE', `The crash is larger than ${maxBytes} bytes (MAX_COREDUMP_BYTES).`);
    }
  }
}
