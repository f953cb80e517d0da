import { DomainError } from '../errors.js';
import type { Metrics } from '../platform/metrics.js';
import { createRate } from '../platform/rate-limiter.js';
import type { RightOfWay } from '../platform/right-of-way.js';

/** What holds uploads within bounds, whoever sends them. */
export type UploadLimits = ReturnType<typeof createUploadLimits>;

/** A device's leave to have one more dump stored. */
export type Turn =
  | { isGranted: true /** Nothing was stored: the turn does not count. */; giveBack(): void }
  | { isGranted: false; retryAfterMs: number };

const MINUTE = 60;
const HOUR = 60 * 60;

export interface UploadLimitSettings {
  maxUploadsInFlight: number;
  deviceUploadsPerMinute: number;
  deviceUploadBurst: number;
}

export function createUploadLimits(
  { maxUploadsInFlight, deviceUploadsPerMinute, deviceUploadBurst }: UploadLimitSettings,
  metrics: Metrics,
  rightOfWay: Pick<RightOfWay, 'enter'>,
) {
  let inFlight = 0;
  metrics.gauge('iot_upload_coredump_in_flight', 'Core dump uploads that are being received', () => inFlight);
  const steady = createRate({ limit: deviceUploadsPerMinute, windowSeconds: MINUTE });
  const burst = createRate({ limit: deviceUploadBurst, windowSeconds: HOUR });

  return {
    /**
     * Each upload holds a socket, an open file and what it has sent and nobody has written yet: so many at once are
     * bounded, and one more is told to come back rather than taken in.
     *
     * @returns to be called once when the upload has ended
     * @throws DomainError BUSY
     */
    enter(): () => void {
      if (inFlight >= maxUploadsInFlight) {
        throw new DomainError(
          'BUSY',
          `${maxUploadsInFlight} uploads are in flight (MAX_UPLOADS_IN_FLIGHT); keep the dump and try again.`,
        );
      }
      inFlight += 1;
      const leave = rightOfWay.enter();
      return () => {
        inFlight -= 1;
        leave();
      };
    },

    /** Some a minute are always granted; what is more comes out of the hour's burst until that is used up. */
    turnOf(device: { id: number }): Turn {
      const key = String(device.id);
      const minute = steady.take(key);
      if (minute === null) return { isGranted: true, giveBack: () => steady.release(key) };
      const hour = burst.take(key);
      if (hour === null) return { isGranted: true, giveBack: () => burst.release(key) };
      return { isGranted: false, retryAfterMs: Math.min(minute, hour) };
    },

    overRate(retryAfterMs: number): DomainError {
      return new DomainError(
        'RATE_LIMITED',
        `This device sends more than ${deviceUploadsPerMinute} dumps a minute and has used up the hour's ` +
          `${deviceUploadBurst} more (DEVICE_UPLOADS_PER_MINUTE, DEVICE_UPLOAD_BURST): is it in a crash loop?`,
        { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) },
      );
    },
  };
}
