import type { Prisma } from '../platform/database/client.js';
import { type CoredumpRow, PARSE_STATUSES, type ParseStatus } from './types.js';

/** The columns of a `CoredumpRow`: every list selects exactly these. */
export const COREDUMP_ROW = {
  id: true,
  deviceId: true,
  firmwareId: true,
  filename: true,
  chip: true,
  firmwareVersion: true,
  size: true,
  sha256: true,
  parseStatus: true,
  parseAttempts: true,
  parseGeneration: true,
  appElfSha256: true,
  fingerprint: true,
  uploadedAt: true,
  parsedAt: true,
} as const satisfies Prisma.CoredumpSelect;

type StoredRow = Prisma.CoredumpGetPayload<{ select: typeof COREDUMP_ROW }>;

/** SQLite has no enums: the text column becomes a `ParseStatus` here. The object stays the same. */
export function toCoredumpRow(stored: StoredRow): CoredumpRow {
  if (!hasStatus(stored)) throw new Error(`a core dump has the parse status "${stored.parseStatus}"`);
  return stored;
}

function hasStatus(stored: StoredRow): stored is StoredRow & { parseStatus: ParseStatus } {
  return (PARSE_STATUSES as readonly string[]).includes(stored.parseStatus);
}
