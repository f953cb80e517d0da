import { reportIn } from '../coredumps/report-schema.js';
import { COREDUMP_KINDS } from '../coredumps/types.js';
import type { CrashGroupRow } from '../crash-groups/types.js';
import { type CrashReport, ownFrames } from '../crashdump/index.js';
import { toLinks } from '../devices/link-settings.js';
import { sourceUrlOf } from '../devices/model-links.js';
import { encodeGlobalId } from '../global-ids.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type AlertCrash, type AlertGroup, MAX_FRAMES } from './payload.js';

/** The crash that an alert shows. */
export interface CrashSubject {
  coredumpId: number;
  /** The version that crashed. */
  version: string;
  report: CrashReport | null;
}

/** Longer ones are texts that a device made up. */
const MAX_TEXT = 1_000;

/**
 * What alerts say of a crash: what a viewer may see of it, without any value of an argument, which may be the memory of
 * a customer's device.
 * @returns null for a dump that is gone
 */
export async function crashOf(
  tx: DbTransaction,
  { coredumpId, version, report }: CrashSubject,
): Promise<AlertCrash | null> {
  const dump = await tx.coredump.findUnique({
    where: { id: coredumpId },
    select: {
      ...{ kind: true, chip: true, dumpChip: true, uploadedAt: true, crashedTask: true, reason: true },
      device: {
        select: {
          ...{ key: true, serial: true, name: true },
          model: { select: { code: true, name: true, links: true } },
        },
      },
      firmware: { select: { revision: true } },
    },
  });
  if (dump === null) return null;
  const {
    model: { links, ...model },
    ...device
  } = dump.device;
  const revision = dump.firmware?.revision ?? null;
  return {
    coredumpId: encodeGlobalId('Coredump', coredumpId),
    at: dump.uploadedAt.toISOString(),
    model,
    device,
    version,
    chip: report?.chip ?? dump.dumpChip ?? dump.chip,
    source: COREDUMP_KINDS.find((kind) => kind === dump.kind) ?? 'CORE_DUMP',
    task: (report?.crashedTask ?? dump.crashedTask)?.slice(0, MAX_TEXT) ?? null,
    cause: (report?.explanation ?? report?.reason ?? dump.reason)?.slice(0, MAX_TEXT) ?? null,
    frames: framesOf(report, (place) =>
      links === null ? null : sourceUrlOf(toLinks(links), revision, place),
    ),
  };
}

function framesOf(
  report: CrashReport | null,
  urlOf: (place: { file: string | null; line: number | null }) => string | null,
): AlertCrash['frames'] {
  if (report === null) return [];
  return ownFrames(report)
    .slice(0, MAX_FRAMES)
    .map(({ function: name, file, line }) => ({
      function: name?.slice(0, MAX_TEXT) ?? null,
      file: file?.slice(-MAX_TEXT) ?? null,
      line,
      sourceUrl: urlOf({ file, line }),
    }));
}

/** The newest stored crash of a group, for an alert that no crash has caused. */
export async function newestCrashOf(tx: DbTransaction, groupId: number): Promise<CrashSubject | null> {
  const newest = await tx.crashOccurrence.findFirst({
    where: { signature: { groupId } },
    orderBy: { coredumpId: 'desc' },
    select: {
      ...{ coredumpId: true, firmwareVersion: true },
      coredump: { select: { text: { select: { report: true } } } },
    },
  });
  if (newest === null) return null;
  return {
    coredumpId: newest.coredumpId,
    version: newest.firmwareVersion,
    report: reportIn(newest.coredump.text),
  };
}

export function groupOf(
  group: CrashGroupRow,
  firmwareVersion: string,
  crashesInHour: number | null,
): AlertGroup {
  const { title, reason, count, deviceCount, kind, state } = group;
  const id = encodeGlobalId('CrashGroup', group.id);
  return { id, title, reason, count, deviceCount, firmwareVersion, crashesInHour, kind, state };
}
