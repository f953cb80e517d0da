import { DomainError } from '../errors.js';
import type { Metrics } from '../platform/metrics.js';
import { createRate } from '../platform/rate-limiter.js';
import type { UploadPriority } from '../platform/upload-priority.js';

/** Limits the uploads in flight, and the dumps that each device has stored in a period. */
export type UploadLimits = ReturnType<typeof createUploadLimits>;

/** Whether one more dump of the device may be stored. */
export type UploadPermit =
  | { isGranted: true /** Nothing was stored: the permit does not count. */; release(): void }
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
  uploadPriority: Pick<UploadPriority, 'enter'>,
) {
  let inFlight = 0;
  metrics.gauge('iot_upload_coredump_in_flight', 'Core dump uploads that are being received', () => inFlight);
  const steady = createRate({ limit: deviceUploadsPerMinute, windowSeconds: MINUTE });
  const burst = createRate({ limit: deviceUploadBurst, windowSeconds: HOUR });

  return {
    /**
     * Each upload occupies a socket, an open file and the memory of bytes that are not written yet. So their number is
     * limited, and one more is refused with `Retry-After`.
     *
     * @returns a function to call once when the upload has ended
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
      const endPriority = uploadPriority.enter();
      return () => {
        inFlight -= 1;
        endPriority();
      };
    },

    /** A rate per minute is always granted; more is taken from the hour's burst until that is used up. */
    permitFor(device: { id: number }): UploadPermit {
      const key = String(device.id);
      const minute = steady.take(key);
      if (minute === null) return { isGranted: true, release: () => steady.release(key) };
      const hour = burst.take(key);
      if (hour === null) return { isGranted: true, release: () => burst.release(key) };
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
