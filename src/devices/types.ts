import type { Prisma } from '../platform/database/client.js';
import type { Order } from '../platform/database/ordered-window.js';

/** The row of a device: it has digests of its tokens, never a token. */
export type DeviceRow = Prisma.DeviceGetPayload<object>;

export type DeviceModelRow = Prisma.DeviceModelGetPayload<object>;

/** The row of an ingest key: it has the key's digest, never the key. */
export type IngestKeyRow = Prisma.IngestKeyGetPayload<object>;

export interface IngestKeyFilter {
  modelCode?: string;
}

/** Whether a device may upload, and whether its crashes count. */
export const DEVICE_APPROVALS = ['APPROVED', 'PENDING', 'REJECTED'] as const;
export type DeviceApproval = (typeof DEVICE_APPROVALS)[number];

/** An empty filter matches all devices. A list means "one of"; an empty list matches no device. */
export interface DeviceFilter {
  modelCode?: string[];
  key?: string[];
  serial?: string[];
  approval?: DeviceApproval[];
  /** Ingest keys that registered the device. */
  ingestKeyId?: number[];
  /** Words that must all occur (case-insensitive) in key, serial or name. */
  search?: string;
  /** Inclusive. */
  createdAfter?: Date;
  /** Exclusive. */
  createdBefore?: Date;
  /** Inclusive. */
  lastCrashAfter?: Date;
  /** Exclusive. */
  lastCrashBefore?: Date;
  /** Inclusive. */
  lastSeenAfter?: Date;
  /** Exclusive. */
  lastSeenBefore?: Date;
  /** It reports boots, and was not heard of since then. Exclusive. */
  silentSince?: Date;
  /** Versions that its last boot report named. */
  runningVersion?: string[];
  /** Since the beginning of this day (days since 1970) it had a crash that only its boots tell of. */
  unreportedCrashSinceDay?: number;
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

export const DEVICE_ORDERS = [
  'CREATED_AT',
  'KEY',
  'NAME',
  'CRASH_COUNT',
  'LAST_CRASH_AT',
  'LAST_SEEN_AT',
] as const;
export type DeviceOrder = Order<(typeof DEVICE_ORDERS)[number]>;

/** Stands for the `lastCrashAt` or `lastSeenAt` of a device without one: before every time. */
export const NEVER = new Date(0);

export const MODEL_ORDERS = ['CREATED_AT', 'CODE', 'NAME'] as const;
export type DeviceModelOrder = Order<(typeof MODEL_ORDERS)[number]>;
