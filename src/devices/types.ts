import type { Prisma } from '../platform/database/client.js';
import type { Order } from '../platform/database/ordered-window.js';

/** The row of a device: it has digests of its tokens, never a token. */
export type DeviceRow = Prisma.DeviceGetPayload<object>;

export type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;

/** An empty filter matches all devices. A list means "one of"; an empty list matches no device. */
export interface DeviceFilter {
  modelCode?: string[];
  key?: string[];
  /** Words that must all occur (case-insensitive) in key or name. */
  search?: string;
  /** Inclusive. */
  createdAfter?: Date;
  /** Exclusive. */
  createdBefore?: Date;
  /** Inclusive. */
  lastCrashAfter?: Date;
  /** Exclusive. */
  lastCrashBefore?: Date;
  hasCrashed?: boolean;
  /** Versions that the device crashed with. */
  firmwareVersion?: string[];
  /** Groups that the device crashed in. */
  crashGroupId?: number[];
}

export interface DeviceModelFilter {
  /** Words that must all occur (case-insensitive) in code or name. */
  search?: string;
}

export const DEVICE_ORDERS = ['CREATED_AT', 'KEY', 'NAME', 'CRASH_COUNT', 'LAST_CRASH_AT'] as const;
export type DeviceOrder = Order<(typeof DEVICE_ORDERS)[number]>;

/** Stands for `lastCrashAt` of a device that never crashed: before every time. */
export const NEVER = new Date(0);

export const MODEL_ORDERS = ['CREATED_AT', 'CODE', 'NAME'] as const;
export type DeviceModelOrder = Order<(typeof MODEL_ORDERS)[number]>;
