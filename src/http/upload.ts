import type { IncomingMessage } from 'node:http';
import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Newcomer, Sender } from '../auth/device-credentials.js';
import type { DeviceIdentity } from '../auth/principal.js';
import type { Upload } from '../coredumps/ingest.js';
import type { CoredumpService } from '../coredumps/service.js';
import type { Registration } from '../devices/registration.js';
import { badInput, DomainError } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Metrics } from '../platform/metrics.js';
import { hasBody, readBody } from './body.js';
import { claimOf, label } from './device-claim.js';
import type { StreamedExchange } from './exchange.js';
import { refuseFormEncoded, refuseMultipart } from './form-body.js';
import { refuseStreamed } from './refuse-streamed.js';
import type { UploadLimits, UploadPermit } from './upload-limits.js';

interface UploadDeps {
  coredumps: CoredumpService;
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

/**
 * Total time that an upload may wait for the database, before and after its body. Then it is refused with
 * `Retry-After`: the dump is still in the device's flash, and the device saves its battery.
 */
const DATABASE_WAIT_MS = 10_000;
/** Minimum for the wait after the body, however long the first wait took. */
const SHORTEST_WAIT_MS = 1_000;

/** `POST /api/iot/coredump?chip=…&firmware_version=…` (docs/api.md): authenticate, read, save, answer. */
export function createUploadRoute({
  coredumps,
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
      const stored = await save(
        sender,
        { address, requestId },
        {
          chip,
          firmwareVersion,
          idempotencyKey,
          body,
          databaseWaitMs: Math.max(DATABASE_WAIT_MS - waitedMs, SHORTEST_WAIT_MS),
          signal: gone.signal,
        },
      );
      const { coredump, device, isNewDevice, isDuplicate } = stored;
      sendJson(response, 201, {
        status: 'ok',
        filename: coredump.filename,
        coredumpId: encodeGlobalId('Coredump', coredump.id),
        ...(isNewDevice ? { device: { key: device.key } } : {}),
      });
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

  async function save(sender: Sender, from: RequestOrigin, upload: Omit<Upload, 'device'>): Promise<Stored> {
    if (sender.isNew) return saveOfNewcomer(sender.newcomer, from, upload);
    const { device } = sender;
    const permit = limits.permitFor(device);
    const saved = permit.isGranted
      ? await withPermit(permit, () => coredumps.save({ ...upload, device }))
      : await duplicateOf({ ...upload, device }, permit.retryAfterMs);
    return { ...saved, device, isNewDevice: false };
  }

  /** When a device is over its rate nothing new is stored, but a duplicate of a stored dump is still answered as safe. */
  async function duplicateOf(upload: Upload, retryAfterMs: number): Promise<Saved> {
    const coredump = await coredumps.findDuplicate(upload);
    if (coredump === null) throw limits.overRate(retryAfterMs);
    return { coredump, isDuplicate: true };
  }

  /**
   * The device is registered when its whole body has arrived, so that requests which are cut, too large or empty register
   * nothing. If the dump cannot be stored after that, the device stays, and is known when it tries again.
   */
  async function saveOfNewcomer(
    newcomer: Newcomer,
    from: RequestOrigin,
    upload: Omit<Upload, 'device'>,
  ): Promise<Stored> {
    let registered: { device: DeviceIdentity; isNew: boolean } | undefined;
    let permit: UploadPermit | undefined;
    const register = async () => {
      registered = await withDeadline(registration.register(newcomer, from), DATABASE_WAIT_MS);
      permit = limits.permitFor(registered.device);
      if (!permit.isGranted) throw limits.overRate(permit.retryAfterMs);
      return registered.device;
    };
    const saved = await withPermit({ release: () => permit?.isGranted && permit.release() }, () =>
      coredumps.save({ ...upload, device: register }),
    );
    if (registered === undefined) throw new Error('a dump was stored without its device');
    return { ...saved, device: registered.device, isNewDevice: registered.isNew };
  }

  async function withPermit(permit: { release(): unknown }, work: () => Promise<Saved>): Promise<Saved> {
    let isStored = false;
    try {
      const saved = await work();
      isStored = !saved.isDuplicate;
      return saved;
    } finally {
      if (!isStored) permit.release();
    }
  }

  /** Refusals that need only the head, before the first byte of the body is read. */
  function refuseByHead(request: IncomingMessage): void {
    if (!hasBody(request)) throw badInput('The body is empty: send the raw core dump as the request body.');
    refuseMultipart(request);
    if (
      request.headers['content-encoding'] === undefined &&
      Number(request.headers['content-length']) > maxBytes
    ) {
      throw new DomainError(
        'TOO_LARGE',
        `The core dump is larger than ${maxBytes} bytes (MAX_COREDUMP_BYTES).`,
      );
    }
  }
}

type Saved = Awaited<ReturnType<CoredumpService['save']>>;
type Stored = Saved & { device: DeviceIdentity; isNewDevice: boolean };
type RequestOrigin = Parameters<Registration['register']>[1];

/** draft-ietf-httpapi-idempotency-key-header: a string in quotes; bare ones are common. */
function readIdempotencyKey(request: IncomingMessage): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const key = String(header).replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw badInput('Idempotency-Key must be 1 to 255 printable characters.');
  return key;
}
