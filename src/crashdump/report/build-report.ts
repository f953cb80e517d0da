import { causeOf } from '../arch/architectures.js';
import type { Dump, DumpTask } from '../core/core.js';
import { findDeviceBlock, NO_DEVICE_BLOCK } from '../core/device-block.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import { MAX_FRAMES, MAX_INSTRUCTIONS } from '../limits.js';
import type { ReadMemory } from '../read-memory.js';
import {
  type CrashCause,
  type CrashReport,
  type CrashTask,
  REPORT_VERSION,
  type Register,
} from '../report.js';
import type { ReportWarning } from '../warning.js';
import { type BacktraceContext, backtrace, backtraceWithDoubt } from './backtrace.js';
import type { Belief } from './believed-firmware.js';
import type { CrashDoubt } from './firmware-fit.js';
import { reportedRegions } from './memory-regions.js';
import { describePrintedTask } from './printed-task.js';
import { NEVER_WRITTEN, panicReason } from './reason.js';
import { crashedRegisters, savedRegisters } from './register-list.js';
import { stackHealth } from './stack-health.js';
import { summarizeCrash } from './summarize-crash.js';
import { judgeFrames } from './system-frames.js';
import { readTaskControlBlock, type TaskControlBlock } from './task-control-block.js';
import { type TaskLayout, taskLayout } from './task-layout.js';
import { runningOn, taskState, waitingFor } from './task-state.js';

export interface ReportSources {
  dump: Dump;
  belief: Belief;
  /** ROM ELFs of the dump's chip. */
  roms: readonly FirmwareImage[];
}

export function buildReport({ dump, belief, roms }: ReportSources): CrashReport {
  const warnings = [...dump.warnings];
  const { firmware, elfMatch, crashDoubt } = belief;
  // What is said of the crash itself comes only from a build that fits the crashed task.
  const ofCrash = crashDoubt === null ? firmware : null;
  const layout = dump.text === undefined ? taskLayout(dump, belief.given, elfMatch === 'matches') : null;
  const context: BacktraceContext = {
    architecture: dump.architecture,
    chip: dump.chip,
    firmware,
    roms,
    read: memoryWithImages(dump, firmware, roms),
    budget: { frames: MAX_FRAMES, instructions: MAX_INSTRUCTIONS },
  };
  const registers = crashedRegisters(dump, ofCrash);
  const tasks = dump.tasks.map((task, index) =>
    task.printed === undefined
      ? describeTask(task, index === 0, { dump, layout, context, registers, crashDoubt })
      : describePrintedTask({ ...task, printed: task.printed }, index === 0, {
          dump,
          context,
          registers,
          crashDoubt,
        }),
  );
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

  const usesElf = firmware !== null;
  const reason = panicReason(dump, ofCrash, layout);
  const facts = {
    source: dump.text?.source ?? ('core_dump' as const),
    crashedTask: isCrashedKnown ? crashed?.name || null : null,
    chip: dump.chip?.name ?? (isChipUnknown(dump, firmware) ? 'unknown' : dump.architecture.name),
    appElfSha256: dump.appElfSha256,
    elfMatch,
    usesElf,
    tasks: tasks.map((task) => judgeFrames(isCrashedKnown ? task : { ...task, crashed: false })),
  };
  const { identity: deviceIdentity, values, logLines } = deviceBlock(dump);
  return {
    schemaVersion: REPORT_VERSION,
    ...summarizeCrash({ dump, firmware: ofCrash, reason, ...facts }),
    faultAddress: reason.address === null ? null : hex32(reason.address),
    cause: causeOfCrash(dump),
    ...facts,
    chipRevision: dump.chipRevision,
    inInterrupt: dump.inInterrupt,
    elfMatches: elfMatch === 'matches',
    elfEvidence: belief.evidence,
    format: dump.format,
    checksum: dump.checksum,
    transport: dump.transport,
    registers,
    ...reportedRegions(dump, firmware),
    deviceIdentity,
    values,
    logLines,
    warnings,
  };
}

/** A list of addresses can be of any chip. */
function isChipUnknown({ text }: Dump, firmware: FirmwareImage | null): boolean {
  return text !== undefined && text.architecture === null && firmware === null;
}

function deviceBlock({ memory, appElfSha256, text }: Dump) {
  if (text !== undefined) return { ...NO_DEVICE_BLOCK, logLines: [...text.logLines] };
  return findDeviceBlock(memory, appElfSha256) ?? NO_DEVICE_BLOCK;
}

/** COREDUMP_INVALID_CAUSE_VALUE: the device had no cause to write. */
const NO_CAUSE = 0xffff;

function causeOfCrash({ architecture, exception }: Dump): CrashCause | null {
  const { cause, address } = exception;
  if (cause === null || cause === NO_CAUSE || cause === NEVER_WRITTEN) return null;
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

interface TaskSources {
  dump: Dump;
  layout: TaskLayout | null;
  context: BacktraceContext;
  /** Of the crashed task. */
  registers: Register[];
  crashDoubt: CrashDoubt | null;
}

function describeTask(task: DumpTask, crashed: boolean, sources: TaskSources): CrashTask {
  const { dump, layout, context, registers, crashDoubt } = sources;
  const { firmware } = context;
  // The fields of a control block come from the dump only: the ELF has the initial values of that memory.
  const tcb = readTaskControlBlock(task, dump.memory.read, layout);
  // Without debug information the end of the dumped stack is the end of the stack.
  const mayBeInInterrupt = dump.inInterrupt ?? dump.lacksExtraInfo;
  const isOnOwnStack = !(crashed && mayBeInInterrupt);
  const stackEnd = tcb.stackEnd ?? (isOnOwnStack ? (task.stack?.end ?? null) : null);
  const isStackKnown = !task.stackIsCorrupted && tcb.stackStart !== null && tcb.stackStart !== 0;
  const { topOfStack, stackStart } = tcb;

  const unwound = task.stackIsCorrupted
    ? { frames: [], end: 'the device found the stack broken and did not dump it' }
    : crashed
      ? backtraceWithDoubt(context, crashDoubt, (from) => backtrace(task.registers, from, dump.exception))
      : backtrace(task.registers, context);
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
    registers: crashed && !task.stackIsCorrupted ? registers : savedRegisters(task, dump, firmware),
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
