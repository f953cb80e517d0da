import { listCoredumps } from '../coredumps/read.js';
import type { CoredumpFilter, CoredumpRow } from '../coredumps/types.js';
import { encodeGlobalId } from '../global-ids.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { idWindows } from './id-windows.js';
import { type ExportRow, ROWS_AT_ONCE } from './types.js';

export const COREDUMP_COLUMNS = [
  'id',
  'uploaded_at',
  'device_key',
  'device_serial',
  'device_name',
  'model',
  'version',
  'reported_version',
  'chip',
  'source',
  'status',
  'error_kind',
  'crash_kind',
  'task',
  'reason',
  'fingerprint',
  'group_id',
  'file_name',
  'size_bytes',
  'sha256',
  'elf_sha256',
  'parsed_at',
] as const;

/** Dumps, the newest first. Nothing of their reports but what lists show to viewers, too. */
export async function* exportCoredumps(
  db: Db,
  filter: CoredumpFilter,
): AsyncGenerator<Array<ExportRow<typeof COREDUMP_COLUMNS>>, void> {
  for await (const { first, last } of idWindows(db, 'Coredump', ROWS_AT_ONCE)) {
    const dumps = await listCoredumps(db, filter, {
      take: ROWS_AT_ONCE,
      beforeId: last + 1,
      afterId: first - 1,
    });
    if (dumps.length === 0) continue;
    const [owners, groups] = [await ownersOf(db, dumps), await groupsOf(db, dumps)];
    yield dumps.map((dump) => rowOf(dump, owners.get(dump.deviceId), groups.get(dump.id)));
  }
}

interface Owner {
  id: number;
  key: string;
  serial: string | null;
  name: string | null;
  model: string;
}

function rowOf(
  dump: CoredumpRow,
  owner: Owner | undefined,
  groupId: number | undefined,
): ExportRow<typeof COREDUMP_COLUMNS> {
  return {
    id: encodeGlobalId('Coredump', dump.id),
    uploaded_at: dump.uploadedAt,
    device_key: owner?.key ?? null,
    device_serial: owner?.serial ?? null,
    device_name: owner?.name ?? null,
    model: owner?.model ?? null,
    // Empty where a server of an earlier release has added the row a moment ago.
    version: dump.crashVersion || dump.firmwareVersion,
    reported_version: dump.firmwareVersion,
    chip: dump.chip,
    source: dump.kind,
    status: dump.parseStatus,
    error_kind: dump.parseErrorKind?.toUpperCase() ?? null,
    crash_kind: dump.crashKind,
    task: dump.crashedTask,
    reason: dump.reason,
    fingerprint: dump.fingerprint,
    group_id: groupId === undefined ? null : encodeGlobalId('CrashGroup', groupId),
    file_name: dump.filename,
    size_bytes: dump.size,
    sha256: dump.sha256,
    elf_sha256: dump.appElfSha256,
    parsed_at: dump.parsedAt,
  };
}

async function ownersOf(db: Db, dumps: readonly CoredumpRow[]): Promise<Map<number, Owner>> {
  const ids = [...new Set(dumps.map(({ deviceId }) => deviceId))];
  const rows = await db.lookup<Owner>(Prisma.sql`
    SELECT d."id", d."key", d."serial", d."name", m."code" AS "model" FROM "Device" d
    JOIN "DeviceModel" m ON m."id" = d."modelId" WHERE d."id" IN (${Prisma.join(ids)})`);
  return new Map(rows.map((row) => [row.id, row]));
}

async function groupsOf(db: Db, dumps: readonly CoredumpRow[]): Promise<Map<number, number>> {
  const rows = await db.lookup<{ coredumpId: number; groupId: number }>(Prisma.sql`
    SELECT o."coredumpId", s."groupId" FROM "CrashOccurrence" o JOIN "CrashSignature" s ON s."id" = o."signatureId"
    WHERE o."coredumpId" IN (${Prisma.join(dumps.map(({ id }) => id))})`);
  return new Map(rows.map(({ coredumpId, groupId }) => [coredumpId, groupId]));
}
