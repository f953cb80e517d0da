import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Registration } from '../devices/registration.js';
import { DomainError } from '../errors.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Metrics } from '../platform/metrics.js';
import { answerUpload } from './answer-upload.js';
import { MAX_SUMMARY_BYTES, notAnObject, objectOf, parametersOf, summaryOf } from './crash-summary.js';
import { claimOf } from './device-claim.js';
import type { StreamedExchange } from './exchange.js';
import { refuseMultipart } from './form-body.js';
import { readSmallBody } from './small-body.js';
import { type CrashStore, DATABASE_WAIT_MS } from './store-crash.js';
import { readIdempotencyKey } from './stored-answer.js';
import type { UploadLimits } from './upload-limits.js';

interface CrashDeps {
  store: CrashStore;
  auth: Pick<Authenticator, 'authenticateDevice'>;
  registration: Pick<Registration, 'assertPossible'>;
  metrics: Metrics;
  limits: Pick<UploadLimits, 'enter'>;
  attemptLimiter: AttemptLimiter;
  clientAddress: ClientAddress;
  stallMs: number;
}

/** `POST /api/iot/crash` (docs/devices.md): a summary as JSON, stored as a dump is. */
export function createCrashRoute({
  store,
  auth,
  registration,
  metrics,
  limits,
  attemptLimiter,
  clientAddress,
  stallMs,
}: CrashDeps) {
  return (exchange: StreamedExchange): Promise<void> =>
    answerUpload(exchange, 'crash summary', { metrics, limits }, async (gone) => {
      const { request, response, search, signal, requestId } = exchange;
      refuseMultipart(request, 'summary');
      const idempotencyKey = readIdempotencyKey(request);
      if (request.headers.expect !== undefined) response.writeContinue();
      const body = objectOf(
        await readSmallBody(request, { maxBytes: MAX_SUMMARY_BYTES, tooLarge, notUtf8, stallMs, signal }),
      );
      const parameters = parametersOf(search, body);
      const askedAt = performance.now();
      const address = clientAddress(request);
      const sender = await attemptLimiter
        .watch(address, () =>
          withDeadline(
            auth.authenticateDevice(request.headers.authorization, claimOf(parameters)),
            DATABASE_WAIT_MS,
          ),
        )
        .catch((error: unknown) => {
          // What JSON would have named is not what is wrong.
          if (body === null && error instanceof DomainError && error.code === 'BAD_USER_INPUT')
            throw notAnObject();
          throw error;
        });
      if (body === null) throw notAnObject();
      const waitedMs = performance.now() - askedAt;
      const { json, ...reported } = summaryOf(body, parameters);
      if (sender.isNew) registration.assertPossible(sender.newcomer);
      const summary = { kind: 'SUMMARY' as const, ...reported, idempotencyKey, signal: gone };
      return store(sender, { address, requestId }, { ...summary, waitedMs, body: bytesOf(json) });
    });
}

async function* bytesOf(json: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(json);
}

const notUtf8 = 'The body is not UTF-8: send the summary of a crash as JSON.';

function tooLarge(): DomainError {
  return new DomainError('TOO_LARGE', `The summary of a crash has at most ${MAX_SUMMARY_BYTES} bytes.`);
}
