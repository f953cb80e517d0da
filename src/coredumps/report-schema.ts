import * as z from 'zod';
import {
  CRASH_KINDS,
  CRASH_SOURCES,
  type CrashReport,
  completeSummary,
  type ElfMatch,
  judgedOnce,
  WARNING_CODES,
  withoutJudgement,
} from '../crashdump/index.js';

/**
 * Schema of the `report` in a sidecar's answer and in the database. A sidecar may be a third-party program: the fields of
 * docs/sidecar-protocol.md are checked, fields that it may omit get their empty value, and additional fields are kept.
 */
const register = z.looseObject({
  name: z.string(),
  value: z.string(),
  symbol: z.string().nullable().default(null),
  meaning: z.string().nullable().default(null),
});

const frame = z.looseObject({
  index: z.int(),
  pc: z.string(),
  function: z.string().nullable().default(null),
  file: z.string().nullable().default(null),
  line: z.int().nullable().default(null),
  inlined: z.boolean().default(false),
  inRom: z.boolean().default(false),
  trust: z.enum(['context', 'cfi', 'window', 'prologue', 'link', 'printed', 'scan']).catch('scan'),
  atLineStart: z.boolean().default(true),
  isOwnCode: z.boolean().optional().catch(undefined),
  arguments: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
});

const task = z.looseObject({
  name: z.string(),
  tcb: z.string(),
  crashed: z.boolean().default(false),
  priority: z.int().nullable().default(null),
  basePriority: z.int().nullable().default(null),
  state: z.string().nullable().default(null),
  waitingFor: z.string().nullable().default(null),
  stackOverflow: z.string().nullable().default(null),
  stackUsed: z.int().nullable().default(null),
  stackFree: z.int().nullable().default(null),
  stackNeverUsed: z.int().nullable().default(null),
  stackCorrupted: z.boolean().default(false),
  core: z.int().nullable().default(null),
  coreAffinity: z.int().nullable().default(null),
  registers: z.array(register).default([]),
  frames: z.array(frame).default([]),
  backtraceEnd: z.string().nullable().default(null),
  interruptedFrames: z.array(frame).default([]),
});

/** Reports of earlier versions have sentences only. */
const warning = z.union([
  z.string().transform((message) => ({ code: 'OTHER' as const, message })),
  z.looseObject({ code: z.enum(WARNING_CODES).catch('OTHER'), message: z.string() }),
]);

const cause = z.looseObject({
  code: z.number(),
  name: z.string(),
  register: z.string(),
  address: z.string().nullable().default(null),
});

const memoryRegion = z.looseObject({
  name: z.string(),
  address: z.string(),
  size: z.number(),
  attributes: z.string().default(''),
  source: z.enum(['firmware', 'dump']).catch('dump'),
});

const deviceIdentity = z.looseObject({
  model: z.string().nullable().default(null),
  serial: z.string(),
  firmwareVersion: z.string(),
  project: z.string().default(''),
  elfSha256: z.string().nullable().default(null),
  bootId: z.string().default(''),
  bootCount: z.int().default(0),
  resetReason: z.string().default('unknown'),
});

const deviceValue = z.looseObject({
  name: z.string(),
  type: z.enum(['integer', 'float', 'text']).catch('text'),
  value: z.string(),
});

const culprit = z.looseObject({
  function: z.string(),
  file: z.string().nullable().default(null),
  line: z.int().nullable().default(null),
});

const placeOfCrash = z.object({
  culprit: culprit.nullable(),
  explanation: z.string().nullable(),
  fingerprint: z.string(),
});

const crashReport = z.looseObject({
  schemaVersion: z.int().default(1),
  source: z.enum(CRASH_SOURCES).default('core_dump').catch('core_dump'),
  kind: z.enum(CRASH_KINDS).optional().catch(undefined),
  reason: z.string(),
  chip: z.string().default('unknown'),
  chipRevision: z.int().nullable().default(null),
  inInterrupt: z.boolean().nullable().default(null),
  faultAddress: z.string().nullable().default(null),
  cause: cause.nullable().default(null),
  explanation: z.string().nullable().default(null),
  watchdogTasks: z.array(z.string()).optional(),
  culprit: culprit.nullable().optional(),
  fingerprint: z.string().nullable().default(null),
  crashedTask: z.string().nullable().default(null),
  appElfSha256: z.string().nullable().default(null),
  elfMatch: z.enum(['matches', 'differs', 'unknown']).optional().catch(undefined),
  elfMatches: z.boolean().default(false),
  usesElf: z.boolean().optional(),
  elfEvidence: z.string().nullable().default(null),
  format: z.string().default('unknown'),
  checksum: z.enum(['ok', 'bad', 'absent']).catch('absent'),
  transport: z.string().nullable().default(null),
  registers: z.array(register).default([]),
  tasks: z.array(task).default([]),
  memoryRegions: z.array(memoryRegion).default([]),
  memoryRegionCount: z.int().optional(),
  deviceIdentity: deviceIdentity.nullable().default(null),
  values: z.array(deviceValue).default([]),
  logLines: z.array(z.string()).default([]),
  warnings: z.array(warning).default([]),
  asRead: placeOfCrash.optional().catch(undefined),
});

/** Null when `value` is not a crash report. */
export function readReport(value: unknown): CrashReport | null {
  const parsed = crashReport.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  const elfMatch = data.elfMatch ?? elfMatchOf(data);
  // The reader's own report has more fields than are checked here; looseObject has kept them.
  const report = {
    ...data,
    elfMatch,
    elfMatches: elfMatch === 'matches',
    // Before schema version 2 names of a build that differs were shown, but did not group crashes.
    usesElf: data.usesElf ?? elfMatch !== 'differs',
    memoryRegionCount: data.memoryRegionCount ?? data.memoryRegions.length,
  } as unknown as CrashReport;
  return { ...report, ...completeSummary(report), tasks: report.tasks.map(judgedOnce) };
}

/** The report in a row of texts; null where there is none. */
export function reportIn(text: { readonly report: string | null } | null): CrashReport | null {
  return text === null || text.report === null ? null : readReport(JSON.parse(text.report));
}

/** For a report of before schema version 2: its `elfMatches` was false also where the dump named no ELF. */
function elfMatchOf({ elfMatches, appElfSha256 }: z.infer<typeof crashReport>): ElfMatch {
  if (elfMatches) return 'matches';
  return appElfSha256 === null || /^0*$/.test(appElfSha256) ? 'unknown' : 'differs';
}

/** For the database: registers and frames, of which a report has many, without what `readReport` fills in again. */
export function storedReport(report: CrashReport): string {
  return JSON.stringify(withoutJudgement(report), (key, value: unknown) =>
    value === null && (key === 'symbol' || key === 'meaning') ? undefined : value,
  );
}
