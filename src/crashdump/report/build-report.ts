import { causeOf } from '../arch/architectures.js';
import type { Dump, DumpTask } from '../core/core.js';
import type { FirmwareImage, SourceFrame } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { MAX_FRAMES } from '../limits.js';
import type { ReadMemory } from '../read-memory.js';
import {
  type CrashCause,
  type CrashReport,
  type CrashTask,
  type ElfMatch,
  REPORT_VERSION,
} from '../report.js';
import type { ReportWarning } from '../warning.js';
import { type BacktraceContext, backtrace } from './backtrace.js';
import { explain } from './explanation.js';
import { fingerprint } from './fingerprint.js';
import { reportedRegions } from './memory-regions.js';
import { panicReason } from './reason.js';
import { crashedRegisters, savedRegisters } from './register-list.js';
import { stackHealth } from './stack-health.js';
import { culpritFrames } from './system-frames.js';
import { readTaskControlBlock, type TaskControlBlock } from './task-control-block.js';
import { runningOn, taskState, waitingFor } from './task-state.js';

export interface ReportSources {
  dump: Dump;
  /** ROM ELF of the dump's chip; null when there is none. */
  firmware: FirmwareImage | null;
  roms: readonly FirmwareImage[];
}

export function buildReport({ dump, firmware, roms }: ReportSources): CrashReport {
  const warnings = [...dump.warnings];
  const elfMatch = compareElf(dump, firmware, warnings);
  const context: BacktraceContext = {
    architecture: dump.architecture,
    chip: dump.chip,
    firmware,
    roms,
    read: memoryWithImages(dump, firmware, roms),
    budget: { frames: MAX_FRAMES },
  };
  const tasks = dump.tasks.map((task, index) => describeTask(task, index === 0, dump, context));
  const crashed = tasks[0];
  const isCrashedKnown = dump.crashedTask === 'known';
  if (dump.crashedTask === 'broken')
    warnings.push({
      code: 'TASK_BROKEN',
      message: 'The device found the crashed task itself broken and skipped it.',
    });
  for (const task of tasks) {
    if (task.stackOverflow)
      warnings.push({
        code: 'STACK_OVERFLOW',
        message: `Task '${task.name}' has overflowed its stack: ${task.stackOverflow}.`,
      });
  }

  // After this the image has read everything that the report needs.
  warnings.push(
    ...(firmware?.lacks() ?? []),
    ...(firmware?.notes() ?? []).map((message): ReportWarning => ({ code: 'FIRMWARE_INCOMPLETE', message })),
  );

  const reason = panicReason(dump, firmware);
  const culprits = isCrashedKnown && crashed !== undefined ? culpritFrames(crashed) : [];
  const overflowedTask = reason.kind === 'STACK_OVERFLOW' && isCrashedKnown ? (crashed?.name ?? null) : null;
  // Symbols of another build's ELF would group crashes by chance.
  const mayName = elfMatch !== 'differs';
  return {
    schemaVersion: REPORT_VERSION,
    kind: reason.kind,
    reason: reason.text,
    faultAddress: reason.address === null ? null : hex32(reason.address),
    cause: causeOfCrash(dump),
    explanation: explain({
      reason,
      culprit: culprits[0] ?? null,
      taskName: crashed?.name ?? null,
      firstFault: firstFault(dump, firmware),
    }),
    fingerprint: mayName ? fingerprint(culprits, overflowedTask) : null,
    chip: dump.chip?.name ?? dump.architecture.name,
    chipRevision: dump.chipRevision,
    crashedTask: isCrashedKnown ? (crashed?.name ?? null) : null,
    inInterrupt: dump.inInterrupt,
    appElfSha256: dump.appElfSha256,
    elfMatch,
    elfMatches: elfMatch === 'matches',
    usesElf: firmware !== null && mayName,
    format: dump.format,
    checksum: dump.checksum,
    transport: dump.transport,
    registers: crashedRegisters(dump, firmware),
    tasks: isCrashedKnown ? tasks : tasks.map((task) => ({ ...task, crashed: false })),
    ...reportedRegions(dump, firmware),
    warnings,
  };
}

/** The place of the first of two exceptions: EPC1 keeps it (Xtensa ISA §4.4.1.10). */
function firstFault(dump: Dump, firmware: FirmwareImage | null): SourceFrame | null {
  const epc1 = dump.exception.epc.find(([level]) => level === 1)?.[1];
  return epc1 === undefined ? null : (firmware?.framesAt(epc1)[0] ?? null);
}

/** The dump contains as many leading digits of the hash as the build was configured to keep (9 by default). */
function compareElf(dump: Dump, firmware: FirmwareImage | null, warnings: ReportWarning[]): ElfMatch {
  // Zeros stand for a hash that the build did not contain.
  if (!firmware || dump.appElfSha256 === null || /^0*$/.test(dump.appElfSha256)) return 'unknown';
  if (firmware.sha256.startsWith(dump.appElfSha256)) return 'matches';
  warnings.push({
    code: 'FIRMWARE_DIFFERS',
    message: `The firmware ELF is not the one that crashed: the dump names SHA-256 ${dump.appElfSha256}, the ELF has ${firmware.sha256}. Names and backtraces may be wrong.`,
  });
  return 'differs';
}

/** COREDUMP_INVALID_CAUSE_VALUE: the device had no cause to write. */
const NO_CAUSE = 0xffff;

function causeOfCrash({ architecture, exception }: Dump): CrashCause | null {
  const { cause, address } = exception;
  if (cause === null || cause === NO_CAUSE) return null;
  return {
    code: cause,
    name: causeOf(architecture, cause).name,
    register: architecture.causeRegister,
    address: address === null ? null : hex32(address),
  };
}

/** Memory that the dump does not contain (code, constants) comes from the images, as in GDB. */
function memoryWithImages(
  dump: Dump,
  firmware: FirmwareImage | null,
  roms: readonly FirmwareImage[],
): ReadMemory {
  const images = firmware ? [firmware, ...roms] : roms;
  return (address, length) => {
    const dumped = dump.memory.read(address, length);
    if (dumped) return dumped;
    for (const image of images) {
      const bytes = image.readAt(address, length);
      if (bytes) return bytes;
    }
    return null;
  };
}

function describeTask(task: DumpTask, crashed: boolean, dump: Dump, context: BacktraceContext): CrashTask {
  const { firmware } = context;
  // The fields of a control block come from the dump only: the ELF has the initial values of that memory.
  const tcb = readTaskControlBlock(task.tcbAddress, dump.memory.read, firmware);
  // Without debug information the end of the dumped stack is the end of the stack.
  const mayBeInInterrupt = dump.inInterrupt ?? dump.lacksExtraInfo;
  const isOnOwnStack = !(crashed && mayBeInInterrupt);
  const stackEnd = tcb.stackEnd ?? (isOnOwnStack ? (task.stack?.end ?? null) : null);
  const isStackKnown = !task.stackIsCorrupted && tcb.stackStart !== null && tcb.stackStart !== 0;
  const { topOfStack, stackStart } = tcb;

  const unwound = task.stackIsCorrupted
    ? { frames: [], end: null }
    : backtrace(task.registers, context, crashed ? dump.exception : null);
  const interrupted = task.interrupted ? backtrace(task.interrupted, context).frames : [];
  const state = crashed ? 'running' : taskState(task.tcbAddress, tcb, dump.memory.read, firmware);
  const sp = stackPointer(task, dump);
  const health = stackHealth(
    { ...tcb, stackEnd },
    isOnOwnStack && !task.stackIsCorrupted ? sp : null,
    dump.memory.read,
  );
  return {
    name: tcb.name ?? '',
    tcb: hex32(task.tcbAddress),
    crashed,
    priority: tcb.priority,
    basePriority: tcb.basePriority,
    state,
    waitingFor: waitingFor(state, tcb, unwound.frames),
    stackUsed:
      isStackKnown && topOfStack !== null && stackEnd !== null ? Math.abs(stackEnd - topOfStack) : null,
    stackFree:
      isStackKnown && topOfStack !== null && stackStart !== null ? Math.abs(topOfStack - stackStart) : null,
    stackNeverUsed: health.neverUsed,
    stackOverflow: health.overflow,
    stackCorrupted: task.stackIsCorrupted,
    core: state === 'running' ? coreOf(task, crashed, tcb, dump, firmware) : null,
    coreAffinity: tcb.coreAffinity,
    registers:
      crashed && !task.stackIsCorrupted
        ? crashedRegisters(dump, firmware)
        : savedRegisters(task, dump, firmware),
    frames: unwound.frames,
    backtraceEnd: unwound.end,
    interruptedFrames: interrupted,
  };
}

/** For a running task; what is not sure is null. */
function coreOf(
  task: DumpTask,
  crashed: boolean,
  tcb: TaskControlBlock,
  dump: Dump,
  firmware: FirmwareImage | null,
): number | null {
  const known = firmware && runningOn(task.tcbAddress, dump.memory.read, firmware);
  if (known !== null) return known;
  if (tcb.coreAffinity !== null) return tcb.coreAffinity;
  if (dump.chip?.cores === 1) return 0;
  // "abort() was called at PC 0x42009351 on core 0"
  const named = crashed ? / on core ([01])\b/.exec(dump.panicDetails ?? '')?.[1] : undefined;
  return named === undefined ? null : Number(named);
}

/** Null for a task that never ran: RISC-V starts it with an empty register. */
function stackPointer(task: DumpTask, dump: Dump): number | null {
  return task.registers.general[dump.architecture.stackPointer] || null;
}
