import type { Prisma } from '../platform/database/client.js';

/** The row of a device: it has digests of its tokens, never a token. */
export type DeviceRow = Prisma.DeviceGetPayload<object>;

export type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;
