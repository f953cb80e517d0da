import { CRASH_KINDS } from '../crashdump/index.js';
import type { Prisma } from '../platform/database/client.js';
import { COREDUMP_KINDS, type CoredumpRow, PARSE_ERROR_KINDS, PARSE_STATUSES } from './types.js';

/** The columns of a `CoredumpRow`: every list selects exactly these. */
export const COREDUMP_ROW = {
  id: true,
  deviceId: true,
  firmwareId: true,
  chosenFirmwareId: true,
  kind: true,
  filename: true,
  chip: true,
  firmwareVersion: true,
  crashVersion: true,
  size: true,
  sha256: true,
  parseStatus: true,
  parseErrorKind: true,
  parseAttempts: true,
  parseGeneration: true,
  appElfSha256: true,
  dumpChip: true,
  fingerprint: true,
  crashKind: true,
  crashedTask: true,
  reason: true,
  uploadedAt: true,
  updatedAt: true,
  parsedAt: true,
} as const satisfies Prisma.CoredumpSelect;

type StoredRow = Prisma.CoredumpGetPayload<{ select: typeof COREDUMP_ROW }>;

/** A row of any of the columns above that have a closed set of values. */
type Enums = Partial<Pick<StoredRow, 'parseStatus' | 'parseErrorKind' | 'kind' | 'crashKind'>>;

/**
 * SQLite has no enums: text columns become unions here. The object stays the same. A value that this version does not
 * know, as after a downgrade, becomes the most general one; a parse status has none.
 */
export function toCoredumpRow(stored: StoredRow): CoredumpRow {
  const row: Enums = stored;
  if (isUnknown(COREDUMP_KINDS, row.kind)) row.kind = 'CORE_DUMP';
  if (isUnknown(CRASH_KINDS, row.crashKind)) row.crashKind = 'OTHER';
  if (isUnknown(PARSE_ERROR_KINDS, row.parseErrorKind)) row.parseErrorKind = 'failed';
  if (!hasKnownValues(stored)) throw new Error(`a core dump has the parse status "${stored.parseStatus}"`);
  return stored;
}

/** Not for columns that were not selected. */
function isUnknown(known: readonly string[], value: string | null | undefined): boolean {
  return value != null && !known.includes(value);
}

function hasKnownValues(stored: StoredRow): stored is StoredRow & CoredumpRow {
  return (PARSE_STATUSES as readonly string[]).includes(stored.parseStatus);
}
