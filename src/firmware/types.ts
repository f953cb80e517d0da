import type { Prisma } from '../platform/database/client.js';

/** One build of a model's firmware, identified by the SHA-256 of its ELF file. */
export type Firmware = Prisma.FirmwareGetPayload<object>;

/** A list means "one of"; an empty list matches nothing. */
export interface FirmwareFilter {
  modelCode?: string[];
  version?: string[];
  chip?: string[];
  /** First digits of the SHA-256 of the ELF, lower-case hexadecimal. */
  elfSha256?: string[];
  /** Inclusive. */
  uploadedAfter?: Date;
  /** Exclusive. */
  uploadedBefore?: Date;
  /** Words that must all occur (case-insensitive) in version, chip, SHA-256, model code or name. */
  search?: string;
  /** Whether the storage has lost the ELF. */
  isLost?: boolean;
}
