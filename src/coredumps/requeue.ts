import { CHIP_NAMES } from '../crashdump/index.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { CoredumpEvents } from './events.js';
import type { ParseState, RunReset } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import { type CoredumpRow, WAITING_KINDS } from './types.js';

/** Dumps requeued in one transaction: limits how long it blocks other writers. */
const RESET_BATCH = 500;
/** Dumps of a build that arrived earlier than this were already requeued, even if the server has restarted since. */
const RECENT_MS = DAY_MS;

export interface ArrivedFirmware {
  id: number;
  modelId: number;
  version: string;
  chip: string | null;
  elfSha256: string;
}

export type Requeue = ReturnType<typeof createRequeue>;

type NextIds = (window: { afterId: number; take: number }) => Promise<number[]>;

/**
 * All ways to queue a parsed dump again. Each has a new cause: a user's request, a new build, or a missing file that is
 * present again. A dump that ended because something is missing is not retried while it is missing: otherwise a missing
 * file would cause endless work.
 */
export function createRequeue({ db, state, events, queue }: RequeueDeps) {
  return {
    reset,

    /** Works in batches by id, so that a million dumps block the writer no longer than some hundred. */
    resetAll,

    /**
     * Dumps that need this build: they ended ERROR because the build or its ELF was missing, or they were parsed with
     * another build because theirs was missing.
     */
    forArrived(firmware: ArrivedFirmware): Promise<number> {
      const prefixes = prefixesOf(firmware);
      return resetAll(
        matching({
          device: { modelId: firmware.modelId },
          OR: [
            {
              parseErrorKind: { in: [...WAITING_KINDS] },
              firmwareVersion: firmware.version,
              ...(firmware.chip === null ? {} : { OR: [{ dumpChip: null }, { dumpChip: firmware.chip }] }),
            },
            { parseErrorKind: { in: [...WAITING_KINDS] }, appElfSha256: { in: prefixes } },
            { parseErrorKind: 'lost_firmware', firmwareId: firmware.id },
            {
              parseStatus: 'PARSED',
              // It would be read with the chosen build again.
              chosenFirmwareId: null,
              appElfSha256: { in: prefixes },
              OR: [{ firmwareId: null }, { firmwareId: { not: firmware.id } }],
            },
          ],
        }),
      );
    },

    /**
     * Dumps for which nothing is missing any more, even if the server that noticed it died: missing files that are
     * present again, and builds that arrived. Only dumps whose result will be different now, so none is queued twice
     * for one cause.
     *
     * @param hasElf whether the ELF of a build is in the storage; a stored report is kept if it is not
     */
    async forNothingMissing(
      now: Date,
      hasElf: (firmware: ArrivedFirmware) => Promise<boolean>,
    ): Promise<void> {
      await resetAll(withNothingMissing);
      const recent = await db.firmware.findMany({
        where: { uploadedAt: { gt: new Date(now.getTime() - RECENT_MS) } },
      });
      for (const build of recent) {
        if (await hasElf(build)) await resetAll(parsedWithAnotherBuild(build));
      }
    },
  };

  async function reset(where: Prisma.CoredumpWhereInput, run?: RunReset): Promise<CoredumpRow[]> {
    // A dump whose raw bytes were removed cannot be parsed again, and its earlier result must be kept.
    const rows = await state.reset({ AND: [where, { removedRaw: null }] }, run);
    rows.forEach(events.publish);
    const tasks = await state.tasksOf(rows.map(({ id }) => id));
    for (const task of tasks) queue?.add(task);
    return rows;
  }

  async function resetAll(nextIds: NextIds, run?: RunReset): Promise<number> {
    let total = 0;
    let afterId = 0;
    for (;;) {
      const ids = await nextIds({ afterId, take: RESET_BATCH });
      const last = ids.at(-1);
      if (last === undefined) return total;
      total += (await reset({ id: { in: ids } }, run)).length;
      afterId = last;
    }
  }

  function matching(where: Prisma.CoredumpWhereInput): NextIds {
    return async ({ afterId, take }) => {
      const rows = await db.coredump.findMany({
        where: { AND: [where, { id: { gt: afterId } }] },
        orderBy: { id: 'asc' },
        take,
        select: { id: true },
      });
      return rows.map(({ id }) => id);
    };
  }

  /** A missing file is recorded before a dump ends because of it. A build matches as in `findBuild`. */
  async function withNothingMissing({ afterId, take }: Parameters<NextIds>[0]): Promise<number[]> {
    const rows = await db.$queryRaw<Array<{ id: number }>>`
      SELECT c."id" FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
      WHERE c."id" > ${afterId} AND (
        (c."parseErrorKind" = 'lost_coredump' AND NOT EXISTS (
          SELECT 1 FROM "LostRaw" l WHERE l."coredumpId" = c."id"))
        OR (c."parseErrorKind" = 'lost_firmware' AND NOT EXISTS (
          SELECT 1 FROM "LostElf" l WHERE l."firmwareId" = c."firmwareId"))
        OR (c."parseErrorKind" = 'missing_firmware' AND EXISTS (
          SELECT 1 FROM "Firmware" f WHERE f."modelId" = d."modelId" AND (
            (f."version" = c."firmwareVersion" AND coalesce(f."chip" = coalesce(c."dumpChip", ${TOLD_CHIP}), ${true}))
            OR (c."appElfSha256" <> '' AND ${STARTS_AS_THE_DUMP_SAYS})))))
      ORDER BY c."id" LIMIT ${take}`;
    return rows.map(({ id }) => id);
  }

  /** Dumps that name this build and were parsed with a build that neither they name nor a person chose. */
  function parsedWithAnotherBuild(build: ArrivedFirmware): NextIds {
    return async ({ afterId, take }) => {
      const rows = await db.$queryRaw<Array<{ id: number }>>`
        SELECT c."id" FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
        LEFT JOIN "Firmware" f ON f."id" = c."firmwareId"
        WHERE c."parseStatus" = 'PARSED' AND c."appElfSha256" IN (${Prisma.join(prefixesOf(build))})
          AND d."modelId" = ${build.modelId} AND c."id" > ${afterId} AND c."chosenFirmwareId" IS NULL
          AND (f."id" IS NULL OR NOT ${STARTS_AS_THE_DUMP_SAYS})
        ORDER BY c."id" LIMIT ${take}`;
      return rows.map(({ id }) => id);
    };
  }
}

const STARTS_AS_THE_DUMP_SAYS = Prisma.sql`substr(f."elfSha256", 1, length(c."appElfSha256")) = c."appElfSha256"`;

/** What its sender told of a text or summary that does not name its chip: as in `wantedBy`. */
const TOLD_CHIP = Prisma.sql`CASE WHEN c."kind" <> 'CORE_DUMP' THEN (
  SELECT t."chip" FROM (SELECT lower(replace(replace(c."chip", '-', ''), '_', '')) AS "chip") t
  WHERE t."chip" IN (${Prisma.join([...CHIP_NAMES])})) END`;

/** A dump contains a prefix of any length. */
export function prefixesOf({ elfSha256 }: Pick<ArrivedFirmware, 'elfSha256'>): string[] {
  return Array.from(elfSha256, (_, index) => elfSha256.slice(0, index + 1));
}

interface RequeueDeps {
  db: Db;
  state: ParseState;
  events: CoredumpEvents;
  /** Null when no sidecar is configured. */
  queue: { add(task: ParseTask): void } | null;
}
