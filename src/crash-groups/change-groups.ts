import { notFound } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Prisma } from '../platform/database/client.js';
import { StaleRead } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { noteActivities } from './activity.js';
import { lockGroups } from './locks.js';
import { takersOf } from './merged-groups.js';
import { activitiesOf, columnsOf, type GroupTriage } from './triage.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/** A group before and after a change. */
export interface ChangedGroup {
  before: CrashGroupRow;
  after: CrashGroupRow;
}

/**
 * Sets the same in many groups, all or none, with their activity. Ids of merged groups stand for the group that took
 * them in. Rows are locked by id, as `locks.ts` asks.
 *
 * @returns the groups by their first id in `ids`, each once
 * @throws DomainError NOT_FOUND, which names the first id that does not exist
 */
export async function changeGroups(
  tx: DbTransaction,
  ids: readonly number[],
  triage: GroupTriage,
  { now, field }: { now: Date; field: string },
): Promise<ChangedGroup[]> {
  const { wanted, locked } = await lockCurrent(tx, ids, field);
  const changed = await setInAll(
    tx,
    wanted.map(lockedIn(locked)),
    (before) => columnsOf(triage, before, now),
    now,
  );
  await noteActivities(
    tx,
    changed.flatMap(({ before }) =>
      activitiesOf(triage, before, now).map((activity) => ({ ...activity, groupId: before.id })),
    ),
  );
  return changed;
}

type Columns = Prisma.CrashGroupUpdateManyMutationInput;

/**
 * One statement for all groups that get the same columns: all of them, but for a number of crashes that each counts on.
 * @param groups are locked
 */
async function setInAll(
  tx: DbTransaction,
  groups: readonly CrashGroupRow[],
  columnsFor: (group: CrashGroupRow) => Columns,
  now: Date,
): Promise<ChangedGroup[]> {
  const alike = new Map<string, { columns: Columns; ids: number[] }>();
  for (const group of groups) {
    const columns = columnsFor(group);
    const key = JSON.stringify(columns);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { columns, ids: [group.id] });
    else known.ids.push(group.id);
  }
  const after = new Map<number, CrashGroupRow>();
  for (const { columns, ids } of alike.values()) {
    const data = { ...columns, updatedAt: now };
    for (const row of await tx.crashGroup.updateManyAndReturn({ where: { id: { in: ids } }, data }))
      after.set(row.id, toGroupRow(row));
  }
  return groups.map((before) => ({ before, after: lockedIn(after)(before.id) }));
}

function lockedIn(groups: ReadonlyMap<number, CrashGroupRow>): (id: number) => CrashGroupRow {
  return (id) => {
    const group = groups.get(id);
    if (group === undefined) throw new StaleRead('a locked group was deleted');
    return group;
  };
}

/** @param group is locked */
export async function setColumns(
  tx: DbTransaction,
  group: CrashGroupRow,
  columns: Columns,
  now: Date,
): Promise<CrashGroupRow> {
  const [changed] = await setInAll(tx, [group], () => columns, now);
  if (changed === undefined) throw new StaleRead('a locked group was deleted');
  return changed.after;
}

async function lockCurrent(tx: DbTransaction, ids: readonly number[], field: string) {
  const takers = await takersOf(tx, ids);
  const currentOf = (id: number) => takers.get(id) ?? id;
  const wanted = [...new Set(ids.map(currentOf))];
  const locked = await lockGroups(tx, wanted);
  const missing = ids.find((id) => !locked.has(currentOf(id)));
  if (missing === undefined) return { wanted, locked };
  // It may have been merged since the first look.
  if ((await takersOf(tx, [currentOf(missing)])).size > 0)
    throw new StaleRead('a group was merged meanwhile');
  throw notFound('crash group', encodeGlobalId('CrashGroup', missing), { field });
}
