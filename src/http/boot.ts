import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Sender } from '../auth/device-credentials.js';
import type { BootReports } from '../devices/boot-reports.js';
import type { Registration } from '../devices/registration.js';
import { DomainError } from '../errors.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Metrics } from '../platform/metrics.js';
import { createRate } from '../platform/rate-limiter.js';
import { readBootParameters, readBootReport } from './boot-parameters.js';
import { claimOf } from './device-claim.js';
import type { StreamedExchange } from './exchange.js';
import { refuseMultipart } from './form-body.js';
import { refuseStreamed } from './refuse-streamed.js';
import { readSmallBody } from './small-body.js';

interface BootDeps {
  boots: BootReports;
  registration: Registration;
  auth: Pick<Authenticator, 'authenticateDevice'>;
  attemptLimiter: AttemptLimiter;
  clientAddress: ClientAddress;
  metrics: Pick<Metrics, 'bootReports'>;
  stallMs: number;
}

const MAX_BODY_BYTES = 4_096;
/** Reports that are received at once; each occupies a socket and some memory. */
const MAX_IN_FLIGHT = 1_000;
/** A device that restarts more often than every two seconds has no time to connect. */
const REPORTS_PER_MINUTE = 30;
/** A report is worth less than a crash: the device goes on without it. */
const REPORT_WAIT_MS = 5_000;

/** `POST /api/iot/boot` (docs/api.md): authenticate, read, store, answer 204. */
export function createBootRoute({
  boots,
  registration,
  auth,
  attemptLimiter,
  clientAddress,
  metrics,
  stallMs,
}: BootDeps) {
  const rate = createRate({ limit: REPORTS_PER_MINUTE, windowSeconds: 60 });
  let inFlight = 0;

  return async function boot({ request, response, search, requestId, signal, log }: StreamedExchange) {
    inFlight += 1;
    try {
      if (inFlight > MAX_IN_FLIGHT) throw busy();
      refuseMultipart(request);
      if (request.headers.expect !== undefined) response.writeContinue();
      const parameters = readBootParameters(
        search,
        await readSmallBody(request, { maxBytes: MAX_BODY_BYTES, tooLarge, notUtf8, stallMs, signal }),
      );
      const address = clientAddress(request);
      const store = async () => {
        const sender = await attemptLimiter.watch(address, () =>
          auth.authenticateDevice(request.headers.authorization, claimOf(parameters)),
        );
        const report = readBootReport(parameters);
        takePermit(sender);
        if (sender.isNew) registration.assertPossible(sender.newcomer);
        const device = sender.isNew
          ? (await registration.register(sender.newcomer, { address, requestId })).device
          : sender.device;
        await boots.record(device, report);
        return { device: device.key, ...report };
      };
      const stored = await withDeadline(store(), REPORT_WAIT_MS);
      response.writeHead(204).end();
      metrics.bootReports.inc({ status: 'success' });
      log.debug(stored, 'boot report stored');
    } catch (error) {
      const code = refuseStreamed({ request, response, log }, error);
      metrics.bootReports.inc({ status: 'error' });
      log.warn(
        { code, reason: error instanceof DomainError ? error.message : undefined },
        'boot report refused',
      );
    } finally {
      inFlight -= 1;
    }
  };

  function takePermit(sender: Sender): void {
    const name = sender.isNew
      ? `${sender.newcomer.modelId} ${sender.newcomer.serial}`
      : String(sender.device.id);
    const waitMs = rate.take(name);
    if (waitMs === null) return;
    throw new DomainError(
      'RATE_LIMITED',
      `This device sends more than ${REPORTS_PER_MINUTE} boot reports a minute: does it restart all the time?`,
      { retryAfterSeconds: Math.ceil(waitMs / 1000) },
    );
  }
}

const notUtf8 = 'The body is not UTF-8: send JSON, or the parameters in the query string.';

function tooLarge(): DomainError {
  return new DomainError('TOO_LARGE', `A boot report has at most ${MAX_BODY_BYTES} bytes.`);
}

function busy(): DomainError {
  return new DomainError('BUSY', `${MAX_IN_FLIGHT} boot reports are in flight; try again.`);
}
