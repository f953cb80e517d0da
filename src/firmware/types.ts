import type { Prisma } from '../platform/database/client.js';

/** One build of a model's firmware, identified by the SHA-256 of its ELF file. */
export type Firmware = Prisma.FirmwareGetPayload<object>;
