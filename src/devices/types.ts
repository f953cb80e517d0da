import type { Prisma } from '../platform/database/client.js';

/** A device as its row has it: digests of its tokens, never a token. */
export type DeviceRow = Prisma.DeviceGetPayload<object>;

export type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;
