export { CHIP_NAMES, chipByName } from './arch/chips.js';
export { Malformed } from './bytes.js';
export { toCoreElf } from './core/write-core-elf.js';
export { CRASH_KINDS, type CrashKind } from './crash-kind.js';
export { CRASH_SOURCES, type CrashSource } from './crash-source.js';
export { UnreadableFirmware } from './elf/elf-file.js';
export { type FirmwareIdentity, readFirmwareIdentity } from './elf/identity.js';
export { UnreadableDump } from './errors.js';
export type { FirmwareImage } from './firmware/firmware-image.js';
export { openFirmware } from './firmware/open-firmware.js';
export { matchesPattern } from './pattern.js';
export { type DumpIdentity, peekDump } from './peek.js';
export { type CrashDumpReading, type CrashDumpRequest, readCrashDump } from './read-crash-dump.js';
export { ownFrames } from './report/culprit.js';
export { FINGERPRINT_VERSION, fingerprint } from './report/fingerprint.js';
export { applyOwnCode, matchesName, type OwnCodeRule, withoutJudgement } from './report/own-code.js';
export { kindOfReason } from './report/reason.js';
export { completeSummary } from './report/summarize-crash.js';
export { isOwnFrame, judgedOnce } from './report/system-frames.js';
export {
  type CrashCause,
  type CrashReport,
  type CrashTask,
  type Culprit,
  type DeviceIdentity,
  type DeviceValue,
  type ElfMatch,
  type FrameArgument,
  type FrameTrust,
  type MemoryRegion,
  REPORT_VERSION,
  type Register,
  type StackFrame,
  type TaskState,
} from './report.js';
export { frameLine, framePlace } from './text/frame-lines.js';
export { type ReportWarning, WARNING_CODES, type WarningCode } from './warning.js';
