import { currentActor } from '../auth/actor.js';
import { identityOf, type Person } from '../auth/principal.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import type { Db, DbTransaction } from '../platform/database/types.js';

/**
 * What people and the server did with a group, and what people say about it. Each change writes its rows in its own
 * transaction. A merge takes the rows along, and a split gives them back (`merged-groups.ts`).
 */

export const ACTIVITY_KINDS = [
  'COMMENT',
  'RESOLVED',
  'REOPENED',
  'IGNORED',
  'IGNORE_ENDED',
  'REGRESSED',
  'ASSIGNED',
  'UNASSIGNED',
  'NOTED',
  'TICKET',
  'MERGED',
  'SPLIT',
  'MOVED',
  'TAGGED',
  'UNTAGGED',
] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

type StoredActivity = Prisma.GroupActivityGetPayload<object>;

export interface GroupActivityRow extends Omit<StoredActivity, 'kind'> {
  /** Null: one of a newer server on the same database. */
  kind: ActivityKind | null;
}

/** The person, or null for what the server did by itself. */
export interface ActivityActor {
  actor: string | null;
  /** `identityOf` the person. */
  actorId: string | null;
}

export interface Activity extends Partial<ActivityActor> {
  kind: ActivityKind;
  /** Of a comment what it says, else the detail: a version, a person, a title. */
  text?: string | null;
  at: Date;
}

/** Longer details are cut; comments are refused before. */
export const MAX_ACTIVITY_TEXT = 4_000;
/** Of a note only the beginning: the group has all of it. */
const MAX_DETAIL = 1_000;

/** Who the server works for now. */
export function currentPerson(): ActivityActor {
  const person = currentActor()?.person;
  return person === undefined ? BY_THE_SERVER : activityBy(person);
}

export function activityBy(person: Person): ActivityActor {
  return { actor: person.name, actorId: identityOf(person) };
}

export const BY_THE_SERVER: ActivityActor = { actor: null, actorId: null };

/**
 * Adds activity to a group, in the transaction of the change, and tells subscribers of the group by its `activityAt`.
 * Locks the group's row: whoever locks several groups does it first, in the order of `locks.ts`.
 *
 * @param activity without `actor` and `actorId`: of the person whom the server works for now
 */
export function noteActivity(tx: DbTransaction, groupId: number, ...activity: Activity[]): Promise<void> {
  return noteActivities(
    tx,
    activity.map((each) => ({ ...each, groupId })),
  );
}

/** A resolved group has crashed again in this version. */
export function noteRegression(tx: DbTransaction, groupId: number, version: string, at: Date): Promise<void> {
  return noteActivity(tx, groupId, { kind: 'REGRESSED', text: version, at, ...BY_THE_SERVER });
}

/** The same for many groups in a few statements. */
export async function noteActivities(
  tx: DbTransaction,
  activities: ReadonlyArray<Activity & { groupId: number }>,
): Promise<void> {
  const [first] = activities;
  if (first === undefined) return;
  const person = currentPerson();
  await tx.groupActivity.createMany({
    data: activities.map(({ groupId, kind, at, text, actor = person.actor, actorId = person.actorId }) => ({
      ...{ groupId, kind, at, actor, actorId },
      text: text?.slice(0, kind === 'COMMENT' ? MAX_ACTIVITY_TEXT : MAX_DETAIL) ?? null,
    })),
  });
  await touchGroups(tx, [...new Set(activities.map(({ groupId }) => groupId))], first.at);
}

/** Tells subscribers that the activity or tags of groups have changed. */
async function touchGroups(tx: DbTransaction, groupIds: readonly number[], at: Date): Promise<void> {
  const ids = { in: [...groupIds] };
  await tx.crashGroup.updateMany({ where: { id: ids }, data: { activityAt: at, updatedAt: at } });
}

/** The same window of each group's activity, newest first. */
export async function listActivities(
  db: Db,
  groupIds: readonly number[],
  { take, beforeId, afterId, fromEnd }: PageWindow,
): Promise<Map<number, GroupActivityRow[]>> {
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const before = beforeId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`a."id" < ${beforeId}`;
  const after = afterId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`a."id" > ${afterId}`;
  const rows = await db.$queryRaw<Array<StoredActivity & { rank: unknown }>>`
    SELECT * FROM (
      SELECT a.*, row_number() OVER (PARTITION BY a."groupId" ORDER BY a."id" ${direction}) AS "rank"
      FROM "GroupActivity" a WHERE a."groupId" IN (${Prisma.join([...groupIds])}) AND ${before} AND ${after}
    ) r WHERE r."rank" <= ${take} ORDER BY r."id" DESC`;
  const byGroup = new Map<number, GroupActivityRow[]>(groupIds.map((id) => [id, []]));
  for (const { rank: _, ...row } of rows) byGroup.get(row.groupId)?.push(toActivityRow(row));
  return byGroup;
}

export async function countActivities(db: Db, groupIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.groupActivity.groupBy({
    by: ['groupId'],
    where: { groupId: { in: [...groupIds] } },
    _count: { _all: true },
  });
  return new Map(rows.map(({ groupId, _count }) => [groupId, _count._all]));
}

export function toActivityRow(stored: StoredActivity): GroupActivityRow {
  return { ...stored, kind: ACTIVITY_KINDS.find((known) => known === stored.kind) ?? null };
}
