import type { CrashReport } from '../crashdump/index.js';

export const PARSE_STATUSES = ['PENDING', 'PARSED', 'ERROR'] as const;
export type ParseStatus = (typeof PARSE_STATUSES)[number];

/** Why a dump ended ERROR, and what resolves it. */
export type ParseErrorKind =
  /** Resolved by uploading the firmware. */
  | 'missing_firmware'
  /** The ELF of the build is missing in the storage. Resolved by uploading or restoring the same ELF. */
  | 'lost_firmware'
  /** The raw file of the dump is missing in the storage. Resolved by restoring it. */
  | 'lost_coredump'
  /** Not resolvable: privacy settings removed the raw bytes before they were parsed. */
  | 'removed_coredump'
  /** Resolved by a newer parser, on request. */
  | 'unreadable'
  /** Three attempts failed. May be resolved by a re-parse on request. */
  | 'failed';

/** A dump as lists, events and loaders use it: everything but the report and its text, which are large. */
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
  /** Incremented by every re-parse. */
  parseGeneration: number;
  /**
   * Leading hexadecimal digits of the ELF's SHA-256 in the dump; null before the first parse, or when the dump has
   * none.
   */
  appElfSha256: string | null;
  /**
   * Fingerprint of the report: the same for crashes at the same place. Null without a report, or without an application
   * frame.
   */
  fingerprint: string | null;
  uploadedAt: Date;
  parsedAt: Date | null;
}

/** All columns, or only those that long lists show. */
export type CoredumpColumns = 'all' | 'listed';

/** Text and report of a dump, which are large. */
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
  /** Words that must all occur (case-insensitive) in filename, device key or name, version, chip or output. */
  search?: string;
}
