import * as z from 'zod';
import { COREDUMP_KINDS } from '../coredumps/types.js';

export const ALERT_FORMATS = ['GENERIC', 'SLACK', 'DISCORD', 'TEAMS', 'NTFY', 'MAIL'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

export const ALERT_EVENTS = [
  'NEW',
  'REGRESSION',
  'REOPENED',
  'SPIKE',
  'NEW_IN_VERSION',
  'CRASH_LOOP',
  'WAITING_BUILD',
  'STORAGE',
  'DIGEST',
  'TEST',
] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

const model = z.object({ code: z.string(), name: z.string() });

/** A frame of the firmware's own code. Values of arguments are memory of the device, and never part of an alert. */
const frame = z.object({
  function: z.string().nullable(),
  file: z.string().nullable(),
  line: z.int().nullable(),
  /** Where the operator's repository has this line; null without a template of the model. */
  sourceUrl: z.string().nullable(),
});
export type AlertFrame = z.infer<typeof frame>;

const crash = z.object({
  coredumpId: z.string(),
  at: z.string(),
  model,
  device: z.object({ key: z.string(), serial: z.string().nullable(), name: z.string().nullable() }),
  /** The version that crashed. */
  version: z.string(),
  chip: z.string(),
  /** What the device sent. Alerts of earlier releases, which knew core dumps only, have none. */
  source: z.enum(COREDUMP_KINDS).default('CORE_DUMP').catch('CORE_DUMP'),
  task: z.string().nullable(),
  /** The reason in plain English; what the device said, where nothing explains it. */
  cause: z.string().nullable(),
  /** At most `MAX_FRAMES`, innermost first. */
  frames: z.array(frame),
});
export type AlertCrash = z.infer<typeof crash>;

export const MAX_FRAMES = 5;

const group = z.object({
  id: z.string(),
  title: z.string(),
  reason: z.string(),
  count: z.int(),
  deviceCount: z.int(),
  /** Of the crash that caused the alert. */
  firmwareVersion: z.string(),
  /** For a spike: the crashes in its hour. */
  crashesInHour: z.int().nullable(),
  /** One of src/crashdump/crash-kind.ts. Null in alerts of earlier releases, like all below. */
  kind: z.string().nullable().default(null),
  state: z.string().nullable().default(null),
});
export type AlertGroup = z.infer<typeof group>;

const waitingBuild = z.object({
  model,
  /** As the devices reported it. */
  firmwareVersion: z.string(),
  /** First digits of the ELF's SHA-256; null where the dumps have none. */
  elfSha256: z.string().nullable(),
  coredumpCount: z.int(),
  deviceCount: z.int(),
});
export type WaitingBuild = z.infer<typeof waitingBuild>;

const storage = z.object({
  percent: z.int(),
  usedBytes: z.number(),
  limitBytes: z.number(),
  /** What is nearly full: MAX_STORAGE_BYTES, or the disk of the dumps, the firmware or the database. */
  of: z.enum(['LIMIT', 'DISK']),
});
export type StorageUse = z.infer<typeof storage>;

const digestItem = z.object({
  event: z.enum(ALERT_EVENTS),
  /** What it is about, as plain text. */
  title: z.string(),
  groupId: z.string().nullable(),
  /** Alerts that are told by this item. */
  alerts: z.int(),
  count: z.int().nullable(),
  deviceCount: z.int().nullable(),
  versions: z.array(z.string()),
  /** Of the newest of them. */
  at: z.string(),
});
export type DigestItem = z.infer<typeof digestItem>;

const digest = z.object({
  from: z.string(),
  to: z.string(),
  /** All alerts that it stands for. */
  alerts: z.int(),
  /** Newest first, at most `MAX_DIGEST_ITEMS`. */
  items: z.array(digestItem),
  /** Groups and other subjects that `items` leaves out. */
  more: z.int(),
});
export type Digest = z.infer<typeof digest>;

export const MAX_DIGEST_ITEMS = 20;

/** The payload of an alert; the generic format sends exactly this, with links. */
export const alert = z.object({
  event: z.enum(ALERT_EVENTS),
  at: z.string(),
  group: group.nullable(),
  crash: crash.nullable().default(null),
  /** For a crash loop: the device's crashes within an hour. */
  loopCrashes: z.int().nullable().default(null),
  /** For WAITING_BUILD: the builds to upload, those with the most dumps first. */
  waiting: z.array(waitingBuild).nullable().default(null),
  storage: storage.nullable().default(null),
  digest: digest.nullable().default(null),
});
export type Alert = z.infer<typeof alert>;

/** An alert without any subject, to be filled. */
export function bareAlert(event: AlertEvent, at: Date): Alert {
  const nothing = { group: null, crash: null, loopCrashes: null, waiting: null, storage: null, digest: null };
  return { event, at: at.toISOString(), ...nothing };
}
