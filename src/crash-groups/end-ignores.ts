import { inTransaction } from '../platform/database/transaction.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { BY_THE_SERVER, noteActivity } from './activity.js';
import type { GroupEvents } from './events.js';
import { NOT_IGNORED } from './ignore-until.js';
import type { GroupAlerts } from './types.js';

/** Groups in one look. */
const BATCH = 100;

/**
 * Opens the groups that were ignored until a time that has come. Each in a transaction of its own, by an update that
 * only one server can do.
 */
export function createIgnoreEnds({
  db,
  events,
  alerts,
  now,
}: {
  db: Db;
  events: GroupEvents;
  alerts: GroupAlerts;
  now: () => Date;
}) {
  return async function endIgnores(): Promise<void> {
    for (let afterId = 0; ; ) {
      const due = await db.crashGroup.findMany({
        where: { state: 'IGNORED', ignoredUntilAt: { lte: now() }, id: { gt: afterId } },
        orderBy: { id: 'asc' },
        take: BATCH,
        select: { id: true },
      });
      for (const { id } of due) await end(id);
      const last = due.at(-1);
      if (last === undefined) return;
      afterId = last.id;
    }
  };

  async function end(id: number): Promise<void> {
    const { isEnded, hasAlerts } = await inTransaction(db, async (tx) => {
      if (!(await endIn(tx, id, now()))) return { isEnded: false, hasAlerts: false };
      await events.announce(tx, [id]);
      return { isEnded: true, hasAlerts: await alerts.writeSpikes(tx, [id]) };
    });
    if (isEnded) events.publish({ groupId: id, kind: 'reopened' });
    if (hasAlerts) alerts.wake();
  }
}

/** @returns false when another server did it, or a person changed the group */
async function endIn(tx: DbTransaction, id: number, at: Date): Promise<boolean> {
  const group = await tx.crashGroup.findUnique({ where: { id }, select: { ignoredUntilAt: true } });
  const until = group?.ignoredUntilAt ?? null;
  if (until === null) return false;
  const { count } = await tx.crashGroup.updateMany({
    where: { id, state: 'IGNORED', ignoredUntilAt: { equals: until, lte: at } },
    data: { state: 'OPEN', ...NOT_IGNORED, updatedAt: at },
  });
  if (count === 0) return false;
  await noteActivity(tx, id, { kind: 'IGNORE_ENDED', text: until.toISOString(), at, ...BY_THE_SERVER });
  return true;
}
