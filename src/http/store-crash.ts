import type { Newcomer, Sender } from '../auth/device-credentials.js';
import type { DeviceIdentity } from '../auth/principal.js';
import type { Upload } from '../coredumps/ingest.js';
import type { CoredumpService } from '../coredumps/service.js';
import type { Registration } from '../devices/registration.js';
import { withDeadline } from '../platform/deadline.js';
import type { UploadLimits, UploadPermit } from './upload-limits.js';

/**
 * Total time that an upload may wait for the database, before and after its body. Then it is refused with
 * `Retry-After`: the dump is still in the device's flash, and the device saves its battery.
 */
export const DATABASE_WAIT_MS = 10_000;
/** Minimum for the wait after the body, however long the first wait took. */
const SHORTEST_WAIT_MS = 1_000;

export type CrashStore = ReturnType<typeof createCrashStore>;

type Saved = Awaited<ReturnType<CoredumpService['save']>>;
export type StoredCrash = Saved & { device: DeviceIdentity; isNewDevice: boolean };
type RequestOrigin = Parameters<Registration['register']>[1];
export type CrashOfSender = Omit<Upload, 'device' | 'databaseWaitMs'>;

/** Stores what a device sends of a crash within its rate, and registers the device if it is new. */
export function createCrashStore({ coredumps, registration, limits }: CrashStoreDeps) {
  /**
   * @param waitedMs how long the request has waited for the database before
   * @throws DomainError as `CoredumpService.save` and `Registration.register`; RATE_LIMITED
   */
  return async function save(
    sender: Sender,
    from: RequestOrigin,
    { waitedMs, ...crash }: CrashOfSender & { waitedMs: number },
  ): Promise<StoredCrash> {
    const upload = {
      ...crash,
      databaseWaitMs: Math.max(DATABASE_WAIT_MS - waitedMs, SHORTEST_WAIT_MS),
    };
    if (sender.isNew) return saveOfNewcomer(sender.newcomer, from, upload);
    const { device } = sender;
    const permit = limits.permitFor(device);
    const saved = permit.isGranted
      ? await withPermit(permit, () => coredumps.save({ ...upload, device }))
      : await duplicateOf({ ...upload, device }, permit.retryAfterMs);
    return { ...saved, device, isNewDevice: false };
  };

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
  ): Promise<StoredCrash> {
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
}

interface CrashStoreDeps {
  coredumps: Pick<CoredumpService, 'save' | 'findDuplicate'>;
  registration: Registration;
  limits: Pick<UploadLimits, 'permitFor' | 'overRate'>;
}
