import type { CrashReport } from '../crashdump/index.js';

export const PARSE_STATUSES = ['PENDING', 'PARSED', 'ERROR'] as const;
export type ParseStatus = (typeof PARSE_STATUSES)[number];

/** Why a dump ended ERROR, and what undoes it. */
export type ParseErrorKind =
  /** The arrival of the firmware. */
  | 'missing_firmware'
  /** There is a build, and the storage has lost its ELF: the same ELF, uploaded again or restored. */
  | 'lost_firmware'
  /** The storage has lost the dump's raw bytes: their file, restored. */
  | 'lost_coredump'
  /** Nothing: privacy settings removed the raw bytes before they could be read. */
  | 'removed_coredump'
  /** A newer reader, by asking again. */
  | 'unreadable'
  /** Asking again: three attempts failed. */
  | 'failed';

/** A dump as lists, events and loaders know it: everything but the report and its text, which are large. */
export interface CoredumpRow {
  id: number;
  deviceId: number;
  firmwareId: number | null;
  filename: string;
  chip: string;
  firmwareVersion: string;
  /** Bytes */
  size: number;
  /** Of the raw bytes, hexadecimal. */
  sha256: string;
  parseStatus: ParseStatus;
  parseAttempts: number;
  /** Raised by every re-parse. */
  parseGeneration: number;
  /** Leading hexadecimal digits of the ELF's SHA-256 that the dump carries; null until it was looked at, or absent. */
  appElfSha256: string | null;
  /** The report's: the same for crashes at the same place. Null without a report, or without a frame of its own. */
  fingerprint: string | null;
  uploadedAt: Date;
  parsedAt: Date | null;
}

/** All of them, or those that long lists show. */
export type CoredumpColumns = 'all' | 'listed';

/** The heavy part of a dump. */
export interface CoredumpText {
  output: string;
  report: CrashReport | null;
}

export interface CoredumpFilter {
  parseStatus?: ParseStatus[];
  chip?: string[];
  firmwareVersion?: string[];
  deviceKey?: string[];
  modelCode?: string[];
  fingerprint?: string[];
  /** Inclusive. */
  uploadedAfter?: Date;
  /** Exclusive. */
  uploadedBefore?: Date;
  /** Words that must all occur, whatever their case, in filename, device key or name, version, chip or output. */
  search?: string;
}
