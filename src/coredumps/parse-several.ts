import type { Audit } from '../audit/service.js';
import { badInput, notFound } from '../errors.js';
import type { Db } from '../platform/database/types.js';
import { wholeRow } from '../platform/database/whole-rows.js';
import { isFiltering } from './delete-by-filter.js';
import { idsOfCoredumps } from './read.js';
import type { Requeue } from './requeue.js';
import type { CoredumpFilter } from './types.js';

/** As many as fit into a list of ids, so that the same dumps can be named again to undo it. */
const MAX_PARSED_AT_ONCE = 200;

interface SeveralDeps {
  db: Db;
  requeue: Pick<Requeue, 'reset'>;
  audit: Pick<Audit, 'change'>;
}

/**
 * Reads the dumps that match a filter with one build that a person chose; null: each with the build that it names, which
 * undoes such a choice. Dumps without raw bytes are left out, and with a build those of other models.
 *
 * @returns the ids of the queued dumps, ascending
 * @throws DomainError BAD_USER_INPUT for a filter without a condition, for too many dumps, and for a build that is for
 *   another chip than one of the dumps names: nothing is changed then; NOT_FOUND without the build
 */
export function createParseSeveral({ db, requeue, audit }: SeveralDeps) {
  return async function parseSeveral(filter: CoredumpFilter, firmwareId: number | null): Promise<number[]> {
    if (!isFiltering(filter)) {
      throw badInput('The filter is empty: name at least one condition.', { field: 'filter' });
    }
    const build = firmwareId === null ? null : await findBuild(firmwareId);
    const wanted = build === null ? filter : { ...filter, modelCode: ofModel(filter, build.model.code) };
    const window = { afterId: 0, take: MAX_PARSED_AT_ONCE + 1 };
    const ids = await idsOfCoredumps(db, { ...wanted, hasRaw: true }, window);
    if (ids.length > MAX_PARSED_AT_ONCE) {
      throw badInput(
        `The filter matches more than ${MAX_PARSED_AT_ONCE} dumps: name fewer, and repeat it for the others.`,
        { field: 'filter' },
      );
    }
    if (build !== null) await refuseOtherChips(ids, build);
    const rows = await requeue.reset({ id: { in: ids } }, (work) =>
      audit.change(async (tx, note) => {
        await tx.coredump.updateMany({
          where: { id: { in: ids }, removedRaw: null },
          data: { chosenFirmwareId: build?.id ?? null },
        });
        const queued = await work(tx);
        const by =
          build === null ? 'their own builds' : `${build.version} (${build.elfSha256.slice(0, 16)}…)`;
        await note({
          action: 'parseCoredumps',
          target: `${queued.length} core dumps with ${by}`,
          detail: JSON.stringify(filter),
        });
        return queued;
      }),
    );
    return rows.map(({ id }) => id).sort((a, b) => a - b);
  };

  async function findBuild(id: number) {
    const select = {
      id: true,
      version: true,
      chip: true,
      elfSha256: true,
      model: { select: { code: true } },
    };
    const build = wholeRow(await db.firmware.findUnique({ where: { id }, select }), 'model');
    if (build === null) throw notFound('firmware', id, { field: 'firmwareId' });
    return build;
  }

  /** A dump that was not looked at yet names no chip; its parse does not use a build for another one. */
  async function refuseOtherChips(ids: readonly number[], { chip }: { chip: string | null }): Promise<void> {
    if (chip === null) return;
    const others = await db.coredump.findMany({
      where: { id: { in: [...ids] }, NOT: { OR: [{ dumpChip: null }, { dumpChip: chip }] } },
      select: { dumpChip: true },
    });
    if (others.length === 0) return;
    const chips = [...new Set(others.map(({ dumpChip }) => dumpChip))].join(', ');
    const dumps = others.length === 1 ? '1 of the dumps is' : `${others.length} of the dumps are`;
    throw badInput(
      `The build is for the chip ${chip}, ${dumps} from ${chips}: leave these out, or choose a build for their chip.`,
      { field: 'firmwareId' },
    );
  }
}

function ofModel({ modelCode }: CoredumpFilter, code: string): string[] {
  return modelCode === undefined || modelCode.includes(code) ? [code] : [];
}
