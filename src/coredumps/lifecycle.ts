import type { Audit } from '../audit/service.js';
import { badInput, notFound } from '../errors.js';
import { isForOtherChip } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { wholeRow } from '../platform/database/whole-rows.js';
import { createDeletionByFilter } from './delete-by-filter.js';
import type { LostDumps } from './lost-dumps.js';
import { createParseSeveral } from './parse-several.js';
import type { ParseTask } from './parse-task.js';
import { parserMissing } from './parser-missing.js';
import type { RawFiles } from './raw-files.js';
import { idsOfCoredumps } from './read.js';
import type { ArrivedFirmware, Requeue } from './requeue.js';
import type { RetiredDump } from './retention.js';
import type { CoredumpFilter, CoredumpRow } from './types.js';
import { type CountUnread, deleteRows } from './unread.js';

interface LifecycleDeps {
  db: Db;
  files: Pick<RawFiles, 'delete' | 'identityOf' | 'whyMissing'>;
  requeue: Requeue;
  lost: Pick<LostDumps, 'isThere'>;
  /** Null when no sidecar is configured: then nothing can be parsed again. */
  queue: { add(task: ParseTask): void } | null;
  audit: Pick<Audit, 'change' | 'note' | 'removal'>;
  /** Counts crashes whose dumps are deleted before they were parsed. */
  countUnread: CountUnread;
}

/** Actions of users on stored dumps: delete and parse again. Automatic deletion is in `retention.ts`. */
export function createLifecycle({ db, files, requeue, lost, queue, audit, countUnread }: LifecycleDeps) {
  const parseSeveral = createParseSeveral({ db, requeue, audit });
  return {
    /**
     * Deletes the row, then the file (best effort). The crash stays counted. @throws DomainError NOT_FOUND, also when
     * the dump is not of `ofDeviceId`
     */
    async delete(id: number, ofDeviceId?: number): Promise<void> {
      const where = { id, ...(ofDeviceId === undefined ? {} : { deviceId: ofDeviceId }) };
      const select = { filename: true, device: { select: { key: true } } } as const;
      const row = wholeRow(await db.coredump.findFirst({ where, select }), 'device');
      if (row === null) throw notFound('core dump', id, { field: 'id' });
      await audit.removal(async (tx, note) => {
        const deleted = await deleteRows(tx, where, countUnread);
        if (deleted.length === 0) throw notFound('core dump', id, { field: 'id' });
        const target = `${row.device.key}/${row.filename}`;
        await note({ action: 'deleteCoredump', targetType: 'Coredump', targetId: id, target });
      });
      await files.delete(row.device.key, [row]);
    },

    /** @returns the number of deleted dumps */
    async deleteAllOf(deviceId: number): Promise<number> {
      const device = await db.device.findUnique({ where: { id: deviceId }, select: { key: true } });
      if (device === null) throw notFound('device', deviceId, { field: 'deviceId' });
      const dumps = await audit.removal(async (tx, note) => {
        const all = await deleteRowsOf(tx, deviceId);
        const target = `${all.length} of ${device.key}`;
        await note({ action: 'deleteCoredumps', targetType: 'Device', targetId: deviceId, target });
        return all;
      });
      await files.delete(device.key, dumps);
      return dumps.length;
    },

    /** See `delete-by-filter.ts`. */
    deleteMatching: createDeletionByFilter({ db, files, audit, countUnread }),

    /** Deletes rows within the transaction that deletes the device; the caller deletes the files after its commit. */
    deleteRowsOf,

    /** Best effort: a file that cannot be deleted now has no row, so the sweep removes it. */
    deleteFiles: files.delete,

    /**
     * Sets the dump to PENDING and queues it. Its build is found by the dump again, whatever a person chose before.
     * @throws DomainError NOT_FOUND, PARSER_NOT_CONFIGURED; GONE when the raw bytes were removed: nothing is changed
     */
    reparse: (id: number): Promise<CoredumpRow> => parseAgain(id, 'reparseCoredump', null),

    /**
     * The same with a build that a person chose, in place of the one that the dump names. The choice lasts until
     * `reparse`, or until the build is deleted.
     * @throws DomainError as `reparse`; NOT_FOUND without the build; BAD_USER_INPUT for a build of another model, or for
     *   another chip than the dump names
     */
    async parseWith(id: number, firmwareId: number): Promise<CoredumpRow> {
      requireParser();
      const chosen = await db.firmware.findUnique({
        where: { id: firmwareId },
        select: {
          id: true,
          modelId: true,
          version: true,
          chip: true,
          elfSha256: true,
          model: { select: { code: true } },
        },
      });
      if (chosen === null) throw notFound('firmware', firmwareId, { field: 'firmwareId' });
      const device = { select: { key: true, modelId: true, model: { select: { code: true } } } } as const;
      const select = { filename: true, device } as const;
      const dump = wholeRow(await db.coredump.findUnique({ where: { id }, select }), 'device');
      if (dump === null) throw notFound('core dump', id, { field: 'id' });
      if (chosen.modelId !== dump.device.modelId) {
        throw badInput(
          `The build is of model "${chosen.model.code}", the dump of model "${dump.device.model.code}": ` +
            'choose a build of that model.',
          { field: 'firmwareId' },
        );
      }
      const { dumpChip } = await files.identityOf(dump.device.key, dump.filename);
      if (isForOtherChip(chosen, dumpChip)) {
        throw badInput(
          `The build is for the chip ${chosen.chip}, the dump is from ${dumpChip}: choose a build for that chip.`,
          { field: 'firmwareId' },
        );
      }
      return parseAgain(id, 'parseCoredump', chosen);
    },

    /** See `parse-several.ts`. @throws DomainError also PARSER_NOT_CONFIGURED */
    async parseSeveralWith(filter: CoredumpFilter, firmwareId: number | null): Promise<number[]> {
      requireParser();
      return parseSeveral(filter, firmwareId);
    },

    /**
     * Builds that persons chose are used again.
     * @returns the number of requeued dumps. @throws DomainError PARSER_NOT_CONFIGURED
     */
    async reparseAll(filter: CoredumpFilter): Promise<number> {
      requireParser();
      const noteOf = (count: number) => ({
        action: 'reparseCoredumps',
        target: `${count} core dumps of ${JSON.stringify(filter)}`,
      });
      const total = await requeue.resetAll(
        (window) => idsOfCoredumps(db, filter, window),
        (work) =>
          audit.change(async (tx, note) => {
            const rows = await work(tx);
            if (rows.length > 0) await note(noteOf(rows.length));
            return rows;
          }),
      );
      // Nothing was changed, but the request is recorded all the same.
      if (total === 0) await audit.note(noteOf(0));
      return total;
    },

    /**
     * Queues the dumps again that need this build. Without a parser no dump was ever parsed, so nothing happens.
     * @returns the number of requeued dumps
     */
    firmwareArrived: async (firmware: ArrivedFirmware): Promise<number> =>
      queue === null ? 0 : requeue.forArrived(firmware),
  };

  async function parseAgain(
    id: number,
    action: 'reparseCoredump' | 'parseCoredump',
    chosen: Pick<Firmware, 'id' | 'version' | 'elfSha256'> | null,
  ): Promise<CoredumpRow> {
    requireParser();
    if (!(await lost.isThere(id))) throw await files.whyMissing(id, 'GONE');
    const [row] = await requeue.reset({ id }, (work) =>
      audit.change(async (tx, note) => {
        await tx.coredump.updateMany({ where: { id }, data: { chosenFirmwareId: chosen?.id ?? null } });
        const rows = await work(tx);
        for (const { filename } of rows) {
          const by = chosen === null ? '' : ` with ${chosen.version} (${chosen.elfSha256.slice(0, 16)}…)`;
          await note({ action, targetType: 'Coredump', targetId: id, target: `${filename}${by}` });
        }
        // Nothing may stay changed: its raw bytes were removed a moment ago, or the dump deleted.
        if (rows.length === 0) throw notFound('core dump', id, { field: 'id' });
        return rows;
      }),
    );
    if (row === undefined) throw notFound('core dump', id, { field: 'id' });
    return row;
  }

  function requireParser(): void {
    if (queue !== null) return;
    throw parserMissing();
  }

  /** Locks the rows and deletes exactly these, also while uploads are committed at the same time. */
  function deleteRowsOf(tx: DbTransaction, deviceId: number): Promise<RetiredDump[]> {
    return deleteRows(tx, { deviceId }, countUnread);
  }
}
