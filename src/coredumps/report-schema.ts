import { z } from 'zod';
import { CRASH_KINDS, type CrashReport, kindOfReason, WARNING_CODES } from '../crashdump/index.js';

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
  trust: z.enum(['context', 'cfi', 'window', 'prologue', 'link', 'scan']).catch('scan'),
  atLineStart: z.boolean().default(true),
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
  frames: z.array(frame).default([]),
  backtraceEnd: z.string().nullable().default(null),
  interruptedFrames: z.array(frame).default([]),
});

/** Reports of earlier versions have sentences only. */
const warning = z.union([
  z.string().transform((message) => ({ code: 'OTHER' as const, message })),
  z.looseObject({ code: z.enum(WARNING_CODES).catch('OTHER'), message: z.string() }),
]);

const crashReport = z.looseObject({
  kind: z.enum(CRASH_KINDS).optional().catch(undefined),
  reason: z.string(),
  chip: z.string().default('unknown'),
  chipRevision: z.int().nullable().default(null),
  inInterrupt: z.boolean().nullable().default(null),
  explanation: z.string().nullable().default(null),
  fingerprint: z.string().nullable().default(null),
  crashedTask: z.string().nullable().default(null),
  appElfSha256: z.string().nullable().default(null),
  elfMatches: z.boolean().default(false),
  format: z.string().default('unknown'),
  checksum: z.enum(['ok', 'bad', 'absent']).catch('absent'),
  registers: z.array(register).default([]),
  tasks: z.array(task).default([]),
  warnings: z.array(warning).default([]),
});

/** Null when `value` is not a crash report. */
export function readReport(value: unknown): CrashReport | null {
  const parsed = crashReport.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  // The reader's own report has more fields than are checked here; looseObject has kept them.
  return { ...data, kind: data.kind ?? kindOfReason(data.reason) } as unknown as CrashReport;
}
