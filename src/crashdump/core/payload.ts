import type { ByteReader } from '../bytes.js';
import type { ReportWarning } from '../warning.js';
import type { Gaps } from './gaps.js';

/** The payload of an upload, without transport encoding, header and checksum. */
export interface Container {
  /** "ELF SHA256 v2.1", "BIN v1", "bare ELF" */
  format: string;
  /** Word 1 of the header: chip id << 16 | major << 8 | minor; null for a bare ELF. */
  versionWord: number | null;
  chipId: number | null;
  /** major × 100 + minor; null when the header has none. */
  chipRevision: number | null;
  checksum: 'ok' | 'bad' | 'absent';
  payload: ElfPayload | BinPayload;
  /** The text that the dump travelled in: "base64 lines of a console log"; null for raw bytes. */
  transport: string | null;
  /** What was lost of the dump on the way. */
  gaps: Gaps;
  warnings: ReportWarning[];
}

/** A container as its bytes are; the transport is added to it. */
export type RawContainer = Omit<Container, 'transport' | 'gaps'>;

export interface ElfPayload {
  kind: 'elf';
  reader: ByteReader;
}

export interface BinPayload {
  kind: 'bin';
  reader: ByteReader;
  taskCount: number;
  tcbSize: number;
  /** Null in v1, which has no memory segments. */
  segmentCount: number | null;
}
