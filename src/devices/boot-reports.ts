import { notFound } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { Prisma } from '../platform/database/client.js';
import { asDomainError } from '../platform/database/errors.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import { createBatcher } from '../platform/queue/batcher.js';
import { countBoots } from './device-days.js';

export type BootReports = ReturnType<typeof createBootReports>;

/** What a device says of its start. */
export interface BootReport {
  firmwareVersion: string;
  chip: string | null;
  /** Leading hexadecimal digits of the SHA-256 of the ELF that it runs, in lower case. */
  elfSha256: string | null;
  /** ESP-IDF's name without `ESP_RST_`, in lower case. */
  resetReason: string | null;
}

/** After a power cut a fleet starts at once. */
const MAX_GROUP = 64;
const GATHER_MS = 4;

/** Stores the last start of each device, and counts its day. Reports that arrive together share their statements. */
export function createBootReports({ db, clock, onChange }: BootReportDeps) {
  const add = createBatcher<{ deviceId: number; report: BootReport }, boolean>({
    maxItems: MAX_GROUP,
    gatherMs: GATHER_MS,
    async run(items) {
      const now = clock.now();
      // The last one of a device counts.
      const rows = [...new Map(items.map(({ deviceId, report }) => [deviceId, report]))]
        .sort(([a], [b]) => a - b)
        .map(
          ([id, { firmwareVersion, chip, elfSha256, resetReason }]) => Prisma.sql`
            SELECT CAST(${id} AS INTEGER) AS "id", CAST(${firmwareVersion} AS TEXT) AS "version",
              CAST(${chip} AS TEXT) AS "chip", CAST(${elfSha256} AS TEXT) AS "elf",
              CAST(${resetReason} AS TEXT) AS "reason"`,
        );
      const written = await inTransaction(db, async (tx) => {
        const devices = await tx.$queryRaw<Array<{ id: number }>>`
          UPDATE "Device" SET "lastBootAt" = ${now}, "lastSeenAt" = ${now}, "lastBootVersion" = n."version",
            "lastBootChip" = n."chip", "lastBootElfSha256" = n."elf", "lastResetReason" = n."reason"
          FROM (${Prisma.join(rows, ' UNION ALL ')}) n WHERE n."id" = "Device"."id"
          RETURNING "Device"."id" AS "id"`;
        const boots = items.map(({ deviceId, report }) => ({ deviceId, ...report }));
        await countBoots(tx, boots, now);
        return devices;
      });
      onChange();
      const ids = new Set(written.map(({ id }) => id));
      return items.map(({ deviceId }) => ids.has(deviceId));
    },
  });

  return {
    /** @throws DomainError NOT_FOUND when the device was deleted in the meantime, UNAVAILABLE, STORAGE_FULL */
    async record(device: { id: number; key: string }, report: BootReport): Promise<void> {
      const isKnown = await add({ deviceId: device.id, report }).catch((error: unknown) => {
        throw asDomainError(error);
      });
      if (!isKnown) throw notFound('device', device.key);
    },
  };
}

interface BootReportDeps {
  db: Db;
  clock: Pick<Clock, 'now'>;
  /** Called after each commit. */
  onChange: () => void;
}
