import type { IncomingMessage } from 'node:http';
import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Upload } from '../coredumps/ingest.js';
import type { CoredumpService } from '../coredumps/service.js';
import { badInput, DomainError } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import { withDeadline } from '../platform/deadline.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Metrics } from '../platform/metrics.js';
import { discardRest, hasBody, readBody } from './body.js';
import { sendError } from './errors.js';
import type { StreamedExchange } from './exchange.js';
import { refuseFormEncoded, refuseMultipart } from './form-body.js';
import type { UploadLimits } from './upload-limits.js';

interface UploadDeps {
  coredumps: CoredumpService;
  auth: Pick<Authenticator, 'authenticateDevice'>;
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
  metrics,
  limits,
  attemptLimiter,
  clientAddress,
  maxBytes,
  stallMs,
  deadlineMs,
}: UploadDeps) {
  return async function upload({ request, response, search, signal, log }: StreamedExchange): Promise<void> {
    const end = metrics.uploadSeconds.startTimer();
    const gone = new AbortController();
    response.once('close', () => gone.abort(new DomainError('BODY_ABORTED', 'The sender has disconnected.')));
    let endUpload = () => {};
    try {
      endUpload = limits.enter();
      const { authorization } = request.headers;
      const query = new URLSearchParams(search);
      const askedAt = performance.now();
      const device = await attemptLimiter.watch(clientAddress(request), () =>
        withDeadline(auth.authenticateDevice(authorization, deviceKeyOf(query)), DATABASE_WAIT_MS),
      );
      const waitedMs = performance.now() - askedAt;
      const chip = label(query, 'chip');
      const firmwareVersion = label(query, 'firmware_version');
      const idempotencyKey = readIdempotencyKey(request);
      refuseByHead(request);
      if (request.headers.expect !== undefined) response.writeContinue();
      const body = refuseFormEncoded(request, readBody(request, { stallMs, deadlineMs, signal }));
      const { coredump, isDuplicate } = await saveWithPermit({
        device,
        chip,
        firmwareVersion,
        idempotencyKey,
        body,
        databaseWaitMs: Math.max(DATABASE_WAIT_MS - waitedMs, SHORTEST_WAIT_MS),
        signal: gone.signal,
      });
      sendJson(response, 201, {
        status: 'ok',
        filename: coredump.filename,
        coredumpId: encodeGlobalId('Coredump', coredump.id),
      });
      metrics.uploads.inc({ status: 'success' });
      log.info(
        { device: device.key, filename: coredump.filename, size: coredump.size, isDuplicate },
        'core dump stored',
      );
    } catch (error) {
      const isUnread = !request.complete && !request.destroyed;
      if (isUnread) response.setHeader('Connection', 'close');
      const code = sendError(response, error, log, { end: !isUnread });
      if (isUnread) discardRest(request, response);
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

  /**
   * When a device is over its rate nothing new is stored, but a duplicate of a stored dump is still answered as safe.
   */
  async function saveWithPermit(upload: Upload): ReturnType<CoredumpService['save']> {
    const permit = limits.permitFor(upload.device);
    if (!permit.isGranted) {
      const coredump = await coredumps.findDuplicate(upload);
      if (coredump === null) throw limits.overRate(permit.retryAfterMs);
      return { coredump, isDuplicate: true };
    }
    let isStored = false;
    try {
      const saved = await coredumps.save(upload);
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

function label(query: URLSearchParams, name: string): string {
  const value = only(query, name);
  if (!/^[A-Za-z0-9._+-]{1,64}$/.test(value) || value.includes('..')) {
    throw badInput(`${name} must be 1 to 64 of A-Z, a-z, 0-9, ".", "_", "+" and "-", without "..".`);
  }
  return value;
}

function deviceKeyOf(query: URLSearchParams): string | null {
  return query.has('device_key') ? only(query, 'device_key') : null;
}

function only(query: URLSearchParams, name: string): string {
  const [value, ...more] = query.getAll(name);
  if (value === undefined) throw badInput(`${name} is missing in the query string.`);
  if (more.length > 0) throw badInput(`${name} is given more than once.`);
  // "+" is literal in versions ("1.2.3+build5"), but URLSearchParams decodes it as a blank.
  return value.replaceAll(' ', '+');
}

/** draft-ietf-httpapi-idempotency-key-header: a string in quotes; bare ones are common. */
function readIdempotencyKey(request: IncomingMessage): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const key = String(header).replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw badInput('Idempotency-Key must be 1 to 255 printable characters.');
  return key;
}
