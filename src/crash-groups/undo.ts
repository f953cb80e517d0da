import * as z from 'zod';
import { badInput } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type Activity, type ActivityKind, noteActivities } from './activity.js';
import { type ChangedGroup, setColumns } from './change-groups.js';
import { untilTextOf } from './ignore-until.js';
import { lockGroups } from './locks.js';
import { currentGroupId } from './merged-groups.js';
import type { GroupTriage } from './triage.js';
import type { CrashGroupRow } from './types.js';

/** A group that could not be given its earlier state. */
export interface RefusedUndo {
  groupId: number;
  /** Null: the group is gone. */
  title: string | null;
  reason: string;
}

/** What undoes a change of one group: its values before, and up to which of its activities it was the last one. */
const UNDO = z.object({
  id: z.int().positive(),
  lastActivityId: z.int().nonnegative(),
  state: z
    .object({
      state: z.enum(['OPEN', 'RESOLVED', 'IGNORED']),
      resolvedAt: z.coerce.date().nullable(),
      resolvedInVersion: z.string().max(64).nullable(),
      regressedAt: z.coerce.date().nullable(),
      regressedInVersion: z.string().max(200).nullable(),
      ignoredAt: z.coerce.date().nullable(),
      ignoredUntilCount: z.int().nullable(),
      ignoredUntilAt: z.coerce.date().nullable(),
      ignoredUntilVersion: z.string().max(64).nullable(),
    })
    .optional(),
  assignee: z.object({ assignee: z.string().max(200).nullable() }).optional(),
});
type Undo = z.infer<typeof UNDO>;

const STATE_KINDS: readonly ActivityKind[] = ['RESOLVED', 'REOPENED', 'IGNORED', 'IGNORE_ENDED', 'REGRESSED'];
const ASSIGNEE_KINDS: readonly ActivityKind[] = ['ASSIGNED', 'UNASSIGNED'];

/** @returns a text for each group, for `restoreGroups`; clients need not know what it says */
export async function undoOf(
  tx: DbTransaction,
  changed: readonly ChangedGroup[],
  { state, assignee }: GroupTriage,
): Promise<string[]> {
  const last = await tx.groupActivity.groupBy({
    by: ['groupId'],
    where: { groupId: { in: changed.map(({ before }) => before.id) } },
    _max: { id: true },
  });
  const lastIds = new Map(last.map(({ groupId, _max }) => [groupId, _max.id]));
  return changed.map(({ before }) =>
    textOf({
      id: before.id,
      lastActivityId: lastIds.get(before.id) ?? 0,
      ...(state === undefined ? {} : { state: stateOf(before) }),
      ...(assignee === undefined ? {} : { assignee: { assignee: before.assignee } }),
    }),
  );
}

/**
 * Gives groups back what `undoOf` kept. A group that somebody, or the server, changed meanwhile stays as it is.
 * @throws DomainError BAD_USER_INPUT
 */
export async function restoreGroups(
  tx: DbTransaction,
  texts: readonly string[],
  now: Date,
): Promise<{ restored: CrashGroupRow[]; refused: RefusedUndo[] }> {
  const undos = texts.map(readUndo);
  const locked = await lockGroups(
    tx,
    undos.map(({ id }) => id),
  );
  const restored: CrashGroupRow[] = [];
  const refused: RefusedUndo[] = [];
  for (const undo of undos) {
    const group = locked.get(undo.id);
    const reason = await whyNot(tx, undo, group);
    if (group === undefined || reason !== null) {
      refused.push({ groupId: undo.id, title: group?.title ?? null, reason: reason ?? 'It is gone.' });
      continue;
    }
    const after = await setColumns(tx, group, { ...undo.state, ...undo.assignee }, now);
    const activities = activitiesOf(group, after, undo, now);
    await noteActivities(
      tx,
      activities.map((activity) => ({ ...activity, groupId: group.id })),
    );
    restored.push(after);
  }
  return { restored, refused };
}

function activitiesOf(before: CrashGroupRow, after: CrashGroupRow, undo: Undo, at: Date): Activity[] {
  const activities: Activity[] = [];
  if (undo.state !== undefined) {
    if (after.state === 'RESOLVED') activities.push({ kind: 'RESOLVED', text: after.resolvedInVersion, at });
    else if (after.state === 'IGNORED') activities.push({ kind: 'IGNORED', text: untilTextOf(after), at });
    else activities.push({ kind: 'REOPENED', at });
  }
  if (before.assignee !== after.assignee)
    activities.push({
      kind: after.assignee === null ? 'UNASSIGNED' : 'ASSIGNED',
      text: after.assignee,
      at,
    });
  return activities;
}

async function whyNot(
  tx: DbTransaction,
  { id, lastActivityId, state, assignee }: Undo,
  group: CrashGroupRow | undefined,
): Promise<string | null> {
  if (group === undefined) {
    const intoId = await currentGroupId(tx, id);
    return intoId === id
      ? 'It is gone.'
      : `It was merged into the crash group "${encodeGlobalId('CrashGroup', intoId)}".`;
  }
  const kinds = [
    ...(state === undefined ? [] : STATE_KINDS),
    ...(assignee === undefined ? [] : ASSIGNEE_KINDS),
  ];
  const later = await tx.groupActivity.findFirst({
    where: { groupId: id, fromGroupId: null, id: { gt: lastActivityId }, kind: { in: kinds } },
    orderBy: { id: 'desc' },
    select: { actor: true },
  });
  if (later === null) return null;
  return later.actor === null ? 'The server changed it meanwhile.' : `${later.actor} changed it meanwhile.`;
}

function stateOf(group: CrashGroupRow): NonNullable<Undo['state']> {
  const { state, resolvedAt, resolvedInVersion, regressedAt, regressedInVersion } = group;
  const { ignoredAt, ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion } = group;
  return {
    ...{ state, resolvedAt, resolvedInVersion, regressedAt, regressedInVersion },
    ...{ ignoredAt, ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion },
  };
}

function textOf(undo: Undo): string {
  return Buffer.from(JSON.stringify(undo)).toString('base64url');
}

function readUndo(text: string): Undo {
  try {
    return UNDO.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError)) throw cause;
    throw badInput('Give what changeCrashGroups answered as undo.', { field: 'groups' });
  }
}
