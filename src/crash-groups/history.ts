import type { AuditNote } from '../audit/service.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { untilText } from './ignore-until.js';
import { type GroupTriage, noteOf } from './triage.js';
import type { CrashGroupRow, GroupState } from './types.js';

/**
 * What people did to a group: the events of the audit, in words that viewers may read. Bulk changes are one event for
 * each thing that was set; the first word of their detail says which.
 */

export const GROUP_ACTIONS = [
  'RESOLVED',
  'IGNORED',
  'REOPENED',
  'ASSIGNED',
  'NOTED',
  'MERGED',
  'SPLIT',
  'TAGGED',
  'CHANGED',
] as const;
export type GroupAction = (typeof GROUP_ACTIONS)[number];

export interface GroupEventRow {
  id: number;
  at: Date;
  actor: string;
  action: GroupAction;
  detail: string | null;
}

const ACTIONS: Readonly<Record<string, GroupAction | undefined>> = {
  resolveCrashGroup: 'RESOLVED',
  ignoreCrashGroup: 'IGNORED',
  reopenCrashGroup: 'REOPENED',
  assignCrashGroup: 'ASSIGNED',
  noteCrashGroup: 'NOTED',
  mergeCrashGroups: 'MERGED',
  splitCrashGroup: 'SPLIT',
  setGroupTags: 'TAGGED',
};

/** Actions of bulk changes. */
const BULK = ['updateCrashGroups', 'changeCrashGroups', 'restoreCrashGroups'] as const;
export type BulkAction = (typeof BULK)[number];

const BY_STATE: Record<GroupState, GroupAction> = {
  OPEN: 'REOPENED',
  RESOLVED: 'RESOLVED',
  IGNORED: 'IGNORED',
};

export function onGroup(
  action: string,
  { id, title }: Pick<CrashGroupRow, 'id' | 'title'>,
  detail?: string,
): AuditNote {
  const about = { action, targetType: 'CrashGroup' as const, targetId: id, target: title };
  return detail === undefined ? about : { ...about, detail };
}

export function versionDetail(inVersion: string | null): string {
  return inVersion === null ? 'in the next version' : `in ${inVersion}`;
}

export function assigneeDetail(assignee: string | null): string {
  return assignee === null ? 'to nobody' : `to ${assignee}`;
}

export function noteDetail(note: string | null): string {
  return note ?? 'removed';
}

export function ignoreDetail(until: GroupTriage['ignoreUntil']): string | undefined {
  const text = untilText(until ?? null);
  return text === null ? undefined : `until ${text}`;
}

/** The notes of a bulk change of one group. */
export function onGroupInBulk(action: BulkAction, group: CrashGroupRow, change: GroupTriage): AuditNote[] {
  const { state, assignee, note } = change;
  const details = [
    ...(state === undefined ? [] : [bulkState(state, change)]),
    ...(assignee === undefined ? [] : [`ASSIGNED ${assigneeDetail(assignee)}`]),
    ...(note === undefined ? [] : [`NOTED ${noteDetail(noteOf(note))}`]),
  ];
  return details.map((detail) => onGroup(action, group, detail));
}

function bulkState(state: GroupState, { resolvedInVersion = null, ignoreUntil }: GroupTriage): string {
  if (state === 'RESOLVED') return `RESOLVED ${versionDetail(resolvedInVersion)}`;
  const detail = state === 'IGNORED' ? ignoreDetail(ignoreUntil) : undefined;
  return detail === undefined ? BY_STATE[state] : `${BY_STATE[state]} ${detail}`;
}

/** The same window of each group's history, newest first, with the events of the groups that it took in. */
export async function listHistories(
  db: Db,
  groupIds: readonly number[],
  { take, beforeId, afterId, fromEnd }: PageWindow,
): Promise<Map<number, GroupEventRow[]>> {
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const before = beforeId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`e."id" < ${beforeId}`;
  const after = afterId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`e."id" > ${afterId}`;
  const rows = await db.$queryRaw<Array<StoredEvent & { groupId: number }>>`
    SELECT * FROM (
      SELECT e."id", e."at", e."actor", e."action", e."detail", p."groupId",
        row_number() OVER (PARTITION BY p."groupId" ORDER BY e."id" ${direction}) AS "rank"
      FROM (${members(groupIds)}) p
      JOIN "AuditEvent" e ON e."targetType" = 'CrashGroup' AND e."targetId" = p."id"
      WHERE ${before} AND ${after}
    ) r WHERE r."rank" <= ${take} ORDER BY r."id" DESC`;
  const byGroup = new Map<number, GroupEventRow[]>(groupIds.map((id) => [id, []]));
  for (const { groupId, id, at, actor, action, detail } of rows) {
    byGroup.get(groupId)?.push({ id, at, actor, ...readAction(action, detail) });
  }
  return byGroup;
}

export async function countHistories(db: Db, groupIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.$queryRaw<Array<{ groupId: number; count: number | bigint }>>`
    SELECT p."groupId", count(*) AS "count" FROM (${members(groupIds)}) p
    JOIN "AuditEvent" e ON e."targetType" = 'CrashGroup' AND e."targetId" = p."id" GROUP BY p."groupId"`;
  return new Map(rows.map(({ groupId, count }) => [Number(groupId), Number(count)]));
}

interface StoredEvent {
  id: number;
  at: Date;
  actor: string;
  action: string;
  detail: string | null;
}

/** The groups themselves, and those that they took in. */
function members(groupIds: readonly number[]): Prisma.Sql {
  const ids = Prisma.join([...groupIds]);
  return Prisma.sql`SELECT g."id" AS "groupId", g."id" FROM "CrashGroup" g WHERE g."id" IN (${ids})
    UNION ALL SELECT m."intoId", m."id" FROM "MergedGroup" m WHERE m."intoId" IN (${ids})`;
}

function readAction(action: string, detail: string | null): { action: GroupAction; detail: string | null } {
  if (!BULK.some((bulk) => bulk === action) || detail === null)
    return { action: ACTIONS[action] ?? 'CHANGED', detail };
  const [word = '', ...rest] = detail.split(' ');
  const known = GROUP_ACTIONS.find((each) => each === word) ?? 'CHANGED';
  return { action: known, detail: rest.length === 0 ? null : rest.join(' ') };
}
