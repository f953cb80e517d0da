import type { CrashKind, CrashReport } from '../crashdump/index.js';

export const PARSE_STATUSES = ['PENDING', 'PARSED', 'ERROR'] as const;
export type ParseStatus = (typeof PARSE_STATUSES)[number];

/** What a device sent of its crash. */
export const COREDUMP_KINDS = ['CORE_DUMP', 'PANIC_TEXT', 'SUMMARY'] as const;
export type CoredumpKind = (typeof COREDUMP_KINDS)[number];

/** Stands for the chip or version of a crash that came without, and whose device did not say it before. */
export const UNKNOWN = 'unknown';

/** Why a dump ended ERROR, and what resolves it. */
export const PARSE_ERROR_KINDS = [
  /** Resolved by uploading the firmware. */
  'missing_firmware',
  /** The ELF of the build is missing in the storage. Resolved by uploading or restoring the same ELF. */
  'lost_firmware',
  /** The raw file of the dump is missing in the storage. Resolved by restoring it. */
  'lost_coredump',
  /** Not resolvable: privacy settings removed the raw bytes before they were parsed. */
  'removed_coredump',
  /** Resolved by a newer parser, on request. */
  'unreadable',
  /** A text that only looks like a crash: the device ran on. It is counted nowhere as one. */
  'no_crash',
  /** Three attempts failed. May be resolved by a re-parse on request. */
  'failed',
] as const;
export type ParseErrorKind = (typeof PARSE_ERROR_KINDS)[number];

/** Of dumps that wait for a build, or for its ELF. */
export const WAITING_KINDS: readonly ParseErrorKind[] = ['missing_firmware', 'lost_firmware'];

/** A dump as lists, events and loaders use it: everything but the report and its text, which are large. */
export interface CoredumpRow {
  id: number;
  deviceId: number;
  /** The build that the last parse used. */
  firmwareId: number | null;
  /** The build that a person chose for the parse; null: it is found by the dump. */
  chosenFirmwareId: number | null;
  /** A text is CORE_DUMP until a first look at it has told what it is. */
  kind: CoredumpKind;
  filename: string;
  chip: string;
  /** As the device reported it, which may be after its update. */
  firmwareVersion: string;
  /** The version that crashed: `crash-version.ts`. */
  crashVersion: string;
  /** Bytes */
  size: number;
  /** Of the raw bytes, hexadecimal. */
  sha256: string;
  parseStatus: ParseStatus;
  /** Null unless the dump ended ERROR. */
  parseErrorKind: ParseErrorKind | null;
  parseAttempts: number;
  /** Incremented by every re-parse. */
  parseGeneration: number;
  /**
   * Leading hexadecimal digits of the ELF's SHA-256 in the dump; null before the first parse, or when the dump has
   * none.
   */
  appElfSha256: string | null;
  /** The chip that the dump itself names: "esp32c3"; null before the first parse, or when it names none. */
  dumpChip: string | null;
  /**
   * Fingerprint of the report: the same for crashes at the same place. Null without a report, or without an application
   * frame.
   */
  fingerprint: string | null;
  /** Of the report; null without one. */
  crashKind: CrashKind | null;
  /** Of the report, its first 64 characters; null without one. */
  crashedTask: string | null;
  /** Of the report, its first 500 characters; null without one. */
  reason: string | null;
  uploadedAt: Date;
  /** When something visible last changed: the end of a parse, a re-parse, the raw bytes. Null: never since its arrival. */
  updatedAt: Date | null;
  parsedAt: Date | null;
}

/** All columns, only those that long lists show, or those and what a report says of the crash. */
export type CoredumpColumns = 'all' | 'crash' | 'listed';

/** Text and report of a dump, which are large. */
export interface CoredumpText {
  output: string;
  report: CrashReport | null;
}

/** A list means "one of"; an empty list matches nothing. */
export interface CoredumpFilter {
  id?: number[];
  kind?: CoredumpKind[];
  parseStatus?: ParseStatus[];
  parseErrorKind?: ParseErrorKind[];
  chip?: string[];
  /** As the device reported it. */
  firmwareVersion?: string[];
  /** The version that crashed. */
  crashVersion?: string[];
  deviceId?: number[];
  deviceKey?: string[];
  modelCode?: string[];
  /** The build that the last parse used. */
  firmwareId?: number[];
  crashGroupId?: number[];
  fingerprint?: string[];
  crashKind?: CrashKind[];
  crashedTask?: string[];
  /** Words that must all occur in the reason (case-insensitive). */
  reason?: string;
  /** Whether the raw bytes are stored: neither removed nor lost. */
  hasRaw?: boolean;
  /** Inclusive. */
  uploadedAfter?: Date;
  /** Exclusive. */
  uploadedBefore?: Date;
  /** Inclusive. */
  parsedAfter?: Date;
  /** Exclusive. */
  parsedBefore?: Date;
  /** Words that must all occur (case-insensitive) in filename, device key, serial or name, version, chip or output. */
  search?: string;
  /**
   * For admins only: what a filter finds in an output tells what the memory of the device held. Otherwise `search` looks
   * into reason, task and place of the crash instead.
   */
  searchesOutputs?: boolean;
}
