import type { Audit, Noter } from '../audit/service.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { GroupEvents } from './events.js';
import type { CrashGroupRow, GroupAlerts } from './types.js';

/** Runs audited changes of groups, and tells subscribers and alerts of them. */
export type Announcer = ReturnType<typeof createAnnouncer>;

export function createAnnouncer({ audit, events, alerts }: AnnouncerDeps) {
  return { announcedAll, announced };

  /** @param work returns the changed groups, and what else the caller wants to know */
  async function announcedAll<Result extends { groups: CrashGroupRow[] }>(
    work: (tx: DbTransaction, note: Noter) => Promise<Result>,
  ): Promise<Result> {
    const { result, hasAlerts } = await audit.change(async (tx, note) => {
      const changed = await work(tx, note);
      const ids = changed.groups.map(({ id }) => id);
      await events.announce(tx, ids);
      // An ignored group that is opened may have a spike.
      return { result: changed, hasAlerts: await alerts.writeSpikes(tx, ids) };
    });
    for (const { id } of result.groups) events.publish({ groupId: id, kind: 'changed' });
    if (hasAlerts) alerts.wake();
    return result;
  }

  /** The same for one group. */
  async function announced(
    work: (tx: DbTransaction, note: Noter) => Promise<CrashGroupRow>,
  ): Promise<CrashGroupRow> {
    const { groups } = await announcedAll(async (tx, note) => ({ groups: [await work(tx, note)] }));
    const [group] = groups;
    if (group === undefined) throw new Error('a change of one group returned none');
    return group;
  }
}

interface AnnouncerDeps {
  audit: Pick<Audit, 'change'>;
  events: GroupEvents;
  alerts: GroupAlerts;
}
