import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import { newDelivery } from './delivery.js';
import { bareAlert, type WaitingBuild } from './payload.js';
import { takeTold, toldKeys, WAITING_PREFIX } from './told.js';
import type { AlertRuleRow } from './types.js';

/** CI may upload a build some minutes after the first device has it. */
const GRACE_MS = 10 * 60_000;
/** Dumps of longer ago have been seen on the page; a new rule does not repeat them. */
const MAX_AGE_MS = DAY_MS;
/** More than a fleet has builds that nobody uploads; a device can make up any number of them. */
const MAX_BUILDS = 1_000;
/** Builds that one alert names. */
const MAX_NAMED = 10;

/**
 * Tells each rule once of each build that dumps wait for: one alert for all that are new to it.
 * @returns whether there is something to send
 */
export async function tellOfWaiting(db: Db, now: Date): Promise<boolean> {
  const rules = await db.alertRule.findMany({ where: { enabled: true, onWaitingBuild: true } });
  const open = await db.alertTold.findMany({
    where: { key: { startsWith: WAITING_PREFIX }, clearedAt: null },
    select: { ruleId: true, key: true },
  });
  if (rules.length + open.length === 0) return false;
  const waiting = await readWaiting(db);
  const keys = new Set(waiting.map(({ key }) => key));
  return inTransaction(db, async (tx) => {
    // A list that was cut says nothing about the others.
    const ended = waiting.length < MAX_BUILDS ? open.filter(({ key }) => !keys.has(key)) : [];
    for (const key of [...new Set(ended.map((each) => each.key))].sort())
      await tx.alertTold.updateMany({ where: { key, clearedAt: null }, data: { clearedAt: now } });
    let count = 0;
    for (const rule of rules) {
      const builds = waiting.filter((build) => isFor(rule, build) && isDue(build, now));
      const taken = await takeTold(
        tx,
        builds.map(({ key }) => ({ ruleId: rule.id, key })),
        now,
      );
      const told = builds.filter(({ key }) => taken.some((each) => each.key === key));
      if (told.length === 0) continue;
      const named = told.slice(0, MAX_NAMED).map(({ build }) => build);
      const payload = { ...bareAlert('WAITING_BUILD', now), waiting: named };
      await tx.alertDelivery.create({ data: newDelivery(rule, payload, now) });
      count += 1;
    }
    return count > 0;
  });
}

interface Waiting {
  key: string;
  modelId: number;
  /** Of the first and the last dump that waits. */
  since: Date;
  until: Date;
  build: WaitingBuild;
}

function isFor({ modelId }: AlertRuleRow, build: Waiting): boolean {
  return modelId === null || modelId === build.modelId;
}

function isDue({ since, until }: Waiting, now: Date): boolean {
  return now.getTime() - since.getTime() >= GRACE_MS && now.getTime() - until.getTime() <= MAX_AGE_MS;
}

/** Those with the most dumps first. A dump without raw bytes is never read again, so it does not wait. */
async function readWaiting(db: Db): Promise<Waiting[]> {
  interface Row {
    modelId: number;
    firmwareVersion: string;
    elfSha256: string | null;
    coredumpCount: number | bigint;
    deviceCount: number | bigint;
    firstId: number;
    lastId: number;
  }
  const rows = await db.$queryRaw<Row[]>`
    SELECT d."modelId", max(c."firmwareVersion") AS "firmwareVersion", c."appElfSha256" AS "elfSha256",
      count(*) AS "coredumpCount", count(DISTINCT c."deviceId") AS "deviceCount",
      min(c."id") AS "firstId", max(c."id") AS "lastId"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId" AND d."approval" = 'APPROVED'
    WHERE c."parseErrorKind" IN ('missing_firmware', 'lost_firmware')
      AND NOT EXISTS (SELECT 1 FROM "RemovedRaw" r WHERE r."coredumpId" = c."id")
    GROUP BY d."modelId", c."appElfSha256", CASE WHEN c."appElfSha256" IS NULL THEN c."firmwareVersion" ELSE '' END
    ORDER BY count(*) DESC, max(c."id") DESC LIMIT ${MAX_BUILDS}`;
  const [models, dumps] = await Promise.all([
    db.deviceModel.findMany({
      where: { id: { in: [...new Set(rows.map(({ modelId }) => Number(modelId)))] } },
      select: { id: true, code: true, name: true },
    }),
    db.coredump.findMany({
      where: { id: { in: rows.flatMap(({ firstId, lastId }) => [Number(firstId), Number(lastId)]) } },
      select: { id: true, uploadedAt: true },
    }),
  ]);
  const modelById = new Map(models.map(({ id, ...model }) => [id, model]));
  const timeById = new Map(dumps.map(({ id, uploadedAt }) => [id, uploadedAt]));
  return rows.flatMap((row) => {
    const modelId = Number(row.modelId);
    const [model, since, until] = [
      modelById.get(modelId),
      timeById.get(Number(row.firstId)),
      timeById.get(Number(row.lastId)),
    ];
    // Deleted between the statements.
    if (model === undefined || since === undefined || until === undefined) return [];
    const { firmwareVersion, elfSha256 } = row;
    const build = {
      ...{ model, firmwareVersion, elfSha256 },
      coredumpCount: Number(row.coredumpCount),
      deviceCount: Number(row.deviceCount),
    };
    return [{ key: toldKeys.waitingBuild(modelId, build), modelId, since, until, build }];
  });
}
