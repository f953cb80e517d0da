import { z } from 'zod';
import type { Prisma } from '../platform/database/database.js';
import { type CoredumpRow, PARSE_STATUSES } from './types.js';

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

const parseStatus = z.enum(PARSE_STATUSES);

/** SQLite has no enums: the column is text, and becomes a `ParseStatus` here. */
export function toCoredumpRow(stored: StoredRow): CoredumpRow {
  return { ...stored, parseStatus: parseStatus.parse(stored.parseStatus) };
}
