import type { IncomingMessage } from 'node:http';
import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Registration } from '../devices/registration.js';
import { badInput, DomainError } from '../errors.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Metrics } from '../platform/metrics.js';
import { answerUpload } from './answer-upload.js';
import { hasBody, readBody } from './body.js';
import { claimOf, label } from './device-claim.js';
import type { StreamedExchange } from './exchange.js';
import { refuseFormEncoded, refuseMultipart } from './form-body.js';
import { type CrashStore, DATABASE_WAIT_MS } from './store-crash.js';
import { readIdempotencyKey } from './stored-answer.js';
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
  return (exchange: StreamedExchange): Promise<void> =>
    answerUpload(exchange, 'core dump', { metrics, limits }, async (gone) => {
      const { request, response, search, signal, requestId } = exchange;
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
      const crash = { chip, firmwareVersion, idempotencyKey, body, signal: gone };
      return store(sender, { address, requestId }, { ...crash, waitedMs });
    });

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
