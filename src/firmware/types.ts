import type { Prisma } from '../platform/database/client.js';

/** One build of a model's firmware: its identity is the SHA-256 of the ELF file. */
export type Firmware = Prisma.FirmwareGetPayload<object>;
