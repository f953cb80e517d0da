import { velocityOf } from '../crash-groups/decayed-rate.js';
import { matchingGroups } from '../crash-groups/group-filter.js';
import { type CrashGroupFilter, toGroupRow } from '../crash-groups/types.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Db } from '../platform/database/types.js';
import { idWindows } from './id-windows.js';
import { type ExportRow, ROWS_AT_ONCE } from './types.js';

export const CRASH_GROUP_COLUMNS = [
  'id',
  'title',
  'kind',
  'reason',
  'culprit_function',
  'culprit_file',
  'state',
  'resolved_in_version',
  'regressed_in_version',
  'assignee',
  'ticket_url',
  'count',
  'device_count',
  'crashes_per_day',
  'first_seen_at',
  'last_seen_at',
] as const;

/** Crash groups, the newest first. */
export async function* exportCrashGroups(
  db: Db,
  filter: CrashGroupFilter,
  now: () => Date,
): AsyncGenerator<Array<ExportRow<typeof CRASH_GROUP_COLUMNS>>, void> {
  for await (const { first, last } of idWindows(db, 'CrashGroup', ROWS_AT_ONCE)) {
    const rows = await db.$queryRaw<Array<Parameters<typeof toGroupRow>[0]>>`
      SELECT g.* FROM "CrashGroup" g WHERE ${matchingGroups(filter)}
        AND g."id" >= ${first} AND g."id" <= ${last} ORDER BY g."id" DESC`;
    yield rows.map(toGroupRow).map((group) => ({
      id: encodeGlobalId('CrashGroup', group.id),
      title: group.title,
      kind: group.kind,
      reason: group.reason,
      culprit_function: group.culpritFunction,
      culprit_file: group.culpritFile,
      state: group.state,
      resolved_in_version: group.resolvedInVersion,
      regressed_in_version: group.regressedInVersion,
      assignee: group.assignee,
      ticket_url: group.ticketUrl,
      count: group.count,
      device_count: group.deviceCount,
      crashes_per_day: Math.round(velocityOf(group.heat, now()) * 1_000) / 1_000,
      first_seen_at: group.firstSeenAt,
      last_seen_at: group.lastSeenAt,
    }));
  }
}
