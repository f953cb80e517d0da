import type { Audit } from '../audit/service.js';
import { badInput } from '../errors.js';
import type { Db } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import { inParallel } from '../platform/queue/in-parallel.js';
import type { RawFiles } from './raw-files.js';
import { idsOfCoredumps } from './read.js';
import type { CoredumpFilter } from './types.js';
import { type CountUnread, deleteRows } from './unread.js';

/** Dumps deleted in one transaction: limits how long it blocks other writers. */
const BATCH = 200;

interface DeletionDeps {
  db: Db;
  files: Pick<RawFiles, 'delete'>;
  audit: Pick<Audit, 'note' | 'removal'>;
  countUnread: CountUnread;
}

/**
 * Deletes the stored dumps that match a filter, in batches. Each batch is one transaction with its audit event, and its
 * files are deleted after the commit. A failure in between leaves whole batches: the same call deletes the others. Dumps
 * that arrive during the deletion stay. Crashes stay counted.
 */
export function createDeletionByFilter({ db, files, audit, countUnread }: DeletionDeps) {
  /** @returns the number of deleted dumps. @throws DomainError BAD_USER_INPUT for a filter that filters nothing */
  return async function deleteMatching(filter: CoredumpFilter): Promise<number> {
    if (!isFiltering(filter)) {
      throw badInput(
        'The filter is empty, so it would delete every dump of the fleet: name at least one condition. ' +
          'For all dumps, give "uploadedBefore" with the time of now.',
        { field: 'filter' },
      );
    }
    const newest = await db.coredump.findFirst({ orderBy: { id: 'desc' }, select: { id: true } });
    const lastId = newest?.id ?? 0;
    let total = 0;
    let afterId = 0;
    for (;;) {
      const found = await idsOfCoredumps(db, filter, { afterId, take: BATCH });
      const ids = found.filter((id) => id <= lastId);
      const last = ids.at(-1);
      if (last === undefined) break;
      total += await deleteBatch(ids, filter);
      afterId = last;
    }
    // Nothing was changed, but the request is recorded all the same.
    if (total === 0) await audit.note(noteOf(0, filter));
    return total;
  };

  async function deleteBatch(ids: readonly number[], filter: CoredumpFilter): Promise<number> {
    const where = { id: { in: [...ids] } };
    const select = { id: true, device: { select: { key: true } } } as const;
    const known = wholeRows(await db.coredump.findMany({ where, select }), 'device');
    const deleted = await audit.removal(async (tx, note) => {
      const rows = await deleteRows(tx, where, countUnread);
      if (rows.length > 0) await note(noteOf(rows.length, filter));
      return rows;
    });
    const keys = new Map(known.map(({ id, device }) => [id, device.key]));
    await inParallel(deleted, async (row) => {
      const deviceKey = keys.get(row.id);
      if (deviceKey !== undefined) await files.delete(deviceKey, [row]);
    });
    return deleted.length;
  }
}

function noteOf(count: number, { searchesOutputs: _, ...conditions }: CoredumpFilter) {
  return { action: 'deleteCoredumps', target: `${count} core dumps of ${JSON.stringify(conditions)}` };
}

/** False also for texts without a word, which match every dump. */
export function isFiltering({ searchesOutputs: _, ...conditions }: CoredumpFilter): boolean {
  return Object.values(conditions).some(
    (value) => value !== undefined && !(typeof value === 'string' && value.trim() === ''),
  );
}
