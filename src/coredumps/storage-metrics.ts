import { diskSpace } from '../platform/files/disk-space.js';
import type { Metrics } from '../platform/metrics.js';
import { createStorageForecast } from './storage-forecast.js';
import type { StorageLimit } from './storage-limit.js';

/**
 * Registers metrics of used and free space, and of when the storage will be full.
 * @returns takes a sample for the forecast; call it every minute
 */
export function registerStorageGauges({
  metrics,
  limit,
  maxBytes,
  disks,
  dumpsDir,
  now,
}: StorageMetricsDeps): () => Promise<void> {
  const forecast = createStorageForecast({ maxBytes });
  const sample = async () => {
    const storedBytes = await limit.storedBytes();
    const freeBytes = dumpsDir === null ? null : ((await diskSpace(dumpsDir))?.freeBytes ?? null);
    forecast.add({ atMs: now().getTime(), storedBytes, freeBytes });
  };

  metrics.gauge('coredock_storage_bytes', 'Bytes of all stored dumps', limit.storedBytes);
  metrics.gauge(
    'coredock_storage_limit_bytes',
    'MAX_STORAGE_BYTES, the limit of stored dumps in bytes; +Inf without a limit',
    () => maxBytes ?? Number.POSITIVE_INFINITY,
  );
  metrics.gauge(
    'coredock_storage_seconds_until_full',
    'Seconds until MAX_STORAGE_BYTES or the disk of the dumps is full, at the rate of the last hours; +Inf: never',
    async () => {
      await sample();
      return forecast.secondsUntilFull();
    },
  );
  const spaces = (pick: 'freeBytes' | 'freeInodes') => async () => {
    const found = await Promise.all(
      Object.entries(disks).map(async ([disk, path]) => [disk, (await diskSpace(path))?.[pick]] as const),
    );
    return found.flatMap(([disk, free]) => (free === undefined ? [] : [[disk, free] as const]));
  };
  metrics.gaugeBy(
    'coredock_disk_free_bytes',
    'Free bytes of the disk, by its content',
    'disk',
    spaces('freeBytes'),
  );
  metrics.gaugeBy(
    'coredock_disk_free_inodes',
    'Free inodes of the disk, by its content',
    'disk',
    spaces('freeInodes'),
  );
  return sample;
}

interface StorageMetricsDeps {
  metrics: Metrics;
  limit: Pick<StorageLimit, 'storedBytes'>;
  maxBytes: number | null;
  /** Paths by content: database, dumps, firmware, transfer. */
  disks: Record<string, string>;
  /** Null with a bucket. */
  dumpsDir: string | null;
  now: () => Date;
}
