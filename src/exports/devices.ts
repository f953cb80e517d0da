import { createDeviceQueries } from '../devices/read.js';
import type { DeviceFilter } from '../devices/types.js';
import type { Db } from '../platform/database/types.js';
import { idWindows } from './id-windows.js';
import { type ExportRow, ROWS_AT_ONCE } from './types.js';

export const DEVICE_COLUMNS = [
  'key',
  'serial',
  'name',
  'model',
  'approval',
  'crash_count',
  'last_crash_at',
  'last_seen_at',
  'last_boot_at',
  'last_boot_version',
  'last_boot_elf_sha256',
  'last_reset_reason',
  'last_boot_uptime_s',
  'created_at',
] as const;

/** Devices, the newest first. */
export async function* exportDevices(
  db: Db,
  filter: DeviceFilter,
): AsyncGenerator<Array<ExportRow<typeof DEVICE_COLUMNS>>, void> {
  const { list } = createDeviceQueries(db);
  for await (const { first, last } of idWindows(db, 'Device', ROWS_AT_ONCE)) {
    const rows = await list(filter, {
      field: 'CREATED_AT',
      direction: 'DESC',
      take: ROWS_AT_ONCE,
      after: { value: last + 1, id: last + 1 },
      before: { value: first - 1, id: first - 1 },
    });
    const models = new Map(
      (
        await db.deviceModel.findMany({ where: { id: { in: [...new Set(rows.map((row) => row.modelId))] } } })
      ).map(({ id, code }) => [id, code]),
    );
    yield rows.map((row) => ({
      key: row.key,
      serial: row.serial,
      name: row.name,
      model: models.get(row.modelId) ?? null,
      approval: row.approval,
      crash_count: row.crashCount,
      last_crash_at: row.lastCrashAt,
      last_seen_at: row.lastSeenAt,
      last_boot_at: row.lastBootAt,
      last_boot_version: row.lastBootVersion,
      last_boot_elf_sha256: row.lastBootElfSha256,
      last_reset_reason: row.lastResetReason,
      last_boot_uptime_s: row.lastBootUptimeSeconds,
      created_at: row.createdAt,
    }));
  }
}
