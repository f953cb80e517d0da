import type { CrashReport } from '../crashdump/index.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { type CrashToDescribe, crashMarkdown, type MarkdownLinks } from './markdown.js';
import { redactOutput, redactReport } from './redact.js';
import { createTextLoader, type TextReader } from './text-loader.js';
import { COREDUMP_KINDS } from './types.js';

/** Everything that the Markdown of a crash names, apart from what was read in the dump. */
export type CrashFacts = Omit<CrashToDescribe, 'report' | 'output'>;

/** For one request: the facts of many dumps in one statement for each kind of row. Null for a dump that is gone. */
export function createCrashFacts(db: Db) {
  return new DataLoader<number, CrashFacts | null>(async (ids) => {
    const rows = await db.coredump.findMany({ where: { id: { in: [...ids] } }, select: FACTS });
    const byId = new Map(rows.map((row) => [row.id, toFacts(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

/** The Markdown of a crash, redacted whoever asks. Null when there is no such dump. */
export function createDescriber(db: Db, links: MarkdownLinks) {
  return {
    markdownLinks: links,
    /** @param withLinks false: a text that leads nowhere, for people who may see this crash only */
    async markdown(id: number, { withLinks = true } = {}): Promise<string | null> {
      const facts = await createCrashFacts(db).load(id);
      if (facts === null) return null;
      const { report, output } = await readOne(db, id);
      return describeCrash(facts, report, output, withLinks ? links : null);
    },
  };
}

/** @param report as stored, not redacted yet; the same holds for `output` */
export function describeCrash(
  facts: CrashFacts,
  report: CrashReport | null,
  output: string | null,
  links: MarkdownLinks | null,
): string {
  const redacted = {
    report: report === null ? null : redactReport(report),
    output: output === null ? null : redactOutput(output),
  };
  return crashMarkdown({ ...facts, ...redacted }, links);
}

/** The report of one dump; where there is none, the text that says why. Not redacted. */
export async function readOne(db: Db, id: number) {
  const texts = createTextLoader(db);
  const report = await texts.report(id, 1, EVERYTHING);
  return { report, output: report === null ? await texts.output(id, EVERYTHING) : null };
}

/** For one dump alone there is no budget to keep. */
const EVERYTHING: TextReader = { admitTexts: async () => true, admit: () => true, slices: null };

const FACTS = {
  id: true,
  kind: true,
  filename: true,
  crashVersion: true,
  firmwareVersion: true,
  chip: true,
  dumpChip: true,
  sha256: true,
  parseStatus: true,
  uploadedAt: true,
  removedRaw: { select: { coredumpId: true } },
  lostRaw: { select: { coredumpId: true } },
  device: {
    select: { key: true, serial: true, name: true, model: { select: { code: true, name: true } } },
  },
  firmware: { select: { id: true, version: true, elfSha256: true, revision: true } },
  occurrence: {
    select: {
      firmwareVersion: true,
      signature: {
        select: { group: { select: { id: true, title: true, count: true, deviceCount: true } } },
      },
    },
  },
} as const satisfies Prisma.CoredumpSelect;

type StoredFacts = Prisma.CoredumpGetPayload<{ select: typeof FACTS }>;

function toFacts(row: StoredFacts): CrashFacts {
  const { device, firmware, occurrence, removedRaw, lostRaw } = row;
  const group = occurrence?.signature?.group ?? null;
  return {
    dump: {
      id: encodeGlobalId('Coredump', row.id),
      kind: COREDUMP_KINDS.find((kind) => kind === row.kind) ?? 'CORE_DUMP',
      filename: row.filename,
      crashVersion: row.crashVersion || occurrence?.firmwareVersion || row.firmwareVersion,
      firmwareVersion: row.firmwareVersion,
      chip: row.dumpChip ?? row.chip,
      sha256: row.sha256,
      parseStatus: row.parseStatus,
      uploadedAt: row.uploadedAt,
      hasRaw: removedRaw === null && lostRaw === null,
    },
    device,
    model: device.model,
    build: firmware === null ? null : { ...firmware, id: encodeGlobalId('Firmware', firmware.id) },
    group: group === null ? null : { ...group, id: encodeGlobalId('CrashGroup', group.id) },
  };
}
