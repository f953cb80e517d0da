import { MAX_PARENTS } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import { dayOf } from './device-days.js';
import { NO_RESETS, numbersOf, type ResetCounts } from './reset-counts.js';
import { RESET_COLUMNS } from './reset-reasons.js';

/** What a device did, day by day: counters, and its stored crashes. */

/** A day on which something is known of the device. */
export interface TimelineDay {
  /** The beginning of the day, in UTC. */
  start: Date;
  versions: TimelineVersion[];
  /** Versions that it booted on the day, and not on the last day before with a boot. */
  startedVersions: string[];
  /** Of its stored crashes that were uploaded on the day, the newest first, at most `MAX_CRASHES_OF_DAY`. */
  coredumpIds: number[];
}

export interface TimelineVersion extends ResetCounts {
  version: string;
  boots: number;
  crashes: number;
}

export const MAX_TIMELINE_DAYS = 180;
export const MAX_CRASHES_OF_DAY = 5;

interface Question {
  deviceId: number;
  first: number;
  /** Only days before this one (days since 1970); null: all. */
  beforeDay: number | null;
}

/** The last days on which something is known, the newest first; two statements for any number of devices. */
export function createTimelineLoader(db: Db) {
  return new DataLoader<Question, TimelineDay[], string>(
    async (questions) => {
      const ids = [...new Set(questions.map(({ deviceId }) => deviceId))];
      const [days, crashes] = await Promise.all([daysOf(db, ids), crashesOf(db, ids)]);
      return questions.map(({ deviceId, first, beforeDay }) =>
        timelineOf(days.get(deviceId) ?? new Map(), crashes.get(deviceId) ?? new Map())
          .filter(({ start }) => beforeDay === null || dayOf(start) < beforeDay)
          .slice(0, first),
      );
    },
    { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
  );
}

type BySlot<Value> = Map<number, Value[]>;

function timelineOf(days: BySlot<TimelineVersion>, crashes: BySlot<number>): TimelineDay[] {
  const slots = [...new Set([...days.keys(), ...crashes.keys()])].sort((a, b) => a - b);
  let booted: string[] = [];
  const timeline = slots.map((slot) => {
    const versions = days.get(slot) ?? [];
    const now = versions.filter(({ boots }) => boots > 0).map(({ version }) => version);
    const startedVersions = now.filter((version) => !booted.includes(version));
    if (now.length > 0) booted = now;
    const coredumpIds = (crashes.get(slot) ?? []).slice(0, MAX_CRASHES_OF_DAY);
    return { start: new Date(slot * DAY_MS), versions, startedVersions, coredumpIds };
  });
  return timeline.reverse();
}

const NO_COUNTS = { ...NO_RESETS, boots: 0, crashes: 0 };

/** All days that are kept: a device has some hundred rows at most. */
async function daysOf(db: Db, ids: readonly number[]): Promise<Map<number, BySlot<TimelineVersion>>> {
  const columns = Prisma.raw(RESET_COLUMNS.map((column) => `x."${column}"`).join(', '));
  const rows = await db.lookup<{ deviceId: number; slot: number; version: string }>(Prisma.sql`
    SELECT x."deviceId", x."slot", x."firmwareVersion" AS "version", x."boots", x."crashes", ${columns}
    FROM "DeviceDay" x WHERE x."deviceId" IN (${Prisma.join([...ids])})
    ORDER BY x."slot", x."boots" DESC, x."firmwareVersion"`);
  const byDevice = new Map<number, BySlot<TimelineVersion>>(ids.map((id) => [id, new Map()]));
  for (const { deviceId, slot, version, ...counts } of rows) {
    add(byDevice.get(deviceId), slot, { version, ...numbersOf(counts, NO_COUNTS) });
  }
  return byDevice;
}

/** The ids of stored crashes: a device keeps `MAX_COREDUMPS` of them. */
async function crashesOf(db: Db, ids: readonly number[]): Promise<Map<number, BySlot<number>>> {
  const rows = await db.lookup<{ id: number; deviceId: number; uploadedAt: Date }>(Prisma.sql`
    SELECT c."id", c."deviceId", c."uploadedAt" FROM "Coredump" c
    WHERE c."deviceId" IN (${Prisma.join([...ids])}) ORDER BY c."id" DESC LIMIT ${MOST_CRASHES}`);
  const byDevice = new Map<number, BySlot<number>>(ids.map((id) => [id, new Map()]));
  for (const { id, deviceId, uploadedAt } of rows) add(byDevice.get(deviceId), dayOf(uploadedAt), id);
  return byDevice;
}

/** Of all devices of an answer: where MAX_COREDUMPS is high, the oldest are left out. */
const MOST_CRASHES = 10_000;

function add<Value>(bySlot: BySlot<Value> | undefined, slot: number, value: Value): void {
  const known = bySlot?.get(slot);
  if (known === undefined) bySlot?.set(slot, [value]);
  else known.push(value);
}
