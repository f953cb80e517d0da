import type { Architecture } from '../arch/architecture.js';
import { NO_EXCEPTION, type RegisterSet } from '../arch/registers.js';
import { ByteReader, Malformed } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_TASKS } from '../limits.js';
import type { ReportWarning } from '../warning.js';
import type { ElfPayload } from './container.js';
import type { Core, DumpTask } from './core.js';
import { openCoreFile } from './elf-core-file.js';
import { DumpMemory, isPlaceholder, type MemorySegment } from './memory.js';
import {
  type ExtraInfo,
  NOTE,
  type Note,
  readCoreDumpInfo,
  readExtraInfo,
  readPanicDetails,
  readTaskInfo,
} from './notes.js';

/** @throws UnreadableDump when it is no 32-bit little-endian core of these chips, or contains no task */
export function readElfCore({ reader }: ElfPayload): Core {
  const warnings: ReportWarning[] = [];
  const { architecture, segments, notes } = openCoreFile(reader, warnings);
  const memory = new DumpMemory(segments);

  const facts = readFacts(notes, architecture);
  const tasks = crashedFirst(
    collectTasks(notes, architecture, segments, facts, warnings),
    facts.extra?.crashedTcb ?? null,
    warnings,
  );
  const crashed = tasks[0];
  if (!crashed) throw new UnreadableDump('The core dump holds the registers of no task.');

  return {
    architecture,
    memory,
    tasks,
    crashedTcb: facts.extra?.crashedTcb ?? null,
    inInterrupt: facts.extra?.inInterrupt ?? null,
    exception:
      architecture.findException({
        registers: crashed.registers,
        stackStart: crashed.stack?.start ?? null,
        extra: facts.extra?.registers ?? null,
        read: memory.read,
      }) ?? NO_EXCEPTION,
    panicDetails: facts.panicDetails,
    appElfSha256: facts.appElfSha256,
    versionWord: facts.versionWord,
    chipId: facts.versionWord === null ? null : facts.versionWord >>> 16,
    warnings,
  };
}

interface Facts {
  versionWord: number | null;
  appElfSha256: string | null;
  extra: ExtraInfo | null;
  panicDetails: string | null;
  brokenTasks: ReadonlySet<number>;
}

function readFacts(notes: readonly Note[], architecture: Architecture): Facts {
  const first = (type: number) => notes.find((note) => note.type === type)?.description;
  const info = first(NOTE.coreDumpInfo);
  const extra = first(NOTE.extraInfo);
  const details = first(NOTE.panicDetails);
  const brokenTasks = new Set<number>();
  for (const note of notes) {
    const task = note.type === NOTE.taskInfo ? readTaskInfo(note.description) : null;
    if (task?.isBroken) brokenTasks.add(task.tcbAddress);
  }
  return {
    versionWord: null,
    appElfSha256: null,
    ...(info ? readCoreDumpInfo(info) : null),
    extra: extra ? readExtraInfo(extra, architecture) : null,
    panicDetails: details ? readPanicDetails(details) : null,
    brokenTasks,
  };
}

function collectTasks(
  notes: readonly Note[],
  architecture: Architecture,
  segments: readonly MemorySegment[],
  facts: Facts,
  warnings: ReportWarning[],
): DumpTask[] {
  const segmentOf = new Map(segments.map((segment, index) => [segment.address, index]));
  const tasks = new Map<number, DumpTask>();
  let unreadable = 0;
  let doubled = 0;
  for (const { type, description } of notes) {
    if (type !== NOTE.registers) continue;
    if (tasks.size >= MAX_TASKS) {
      warnings.push({
        code: 'LIMIT_REACHED',
        message: `The dump holds more than ${MAX_TASKS} tasks; the others were left out.`,
      });
      break;
    }
    const status = readRegisterNote(description, architecture);
    if (!status) unreadable++;
    else if (tasks.has(status.tcbAddress)) doubled++;
    else
      tasks.set(
        status.tcbAddress,
        describeTask(status, segmentOf, segments, facts, architecture, tasks.size === 0),
      );
  }
  if (unreadable > 0)
    warnings.push({
      code: 'NOTE_LEFT_OUT',
      message: `${unreadable} register notes are too short and were left out.`,
    });
  if (doubled > 0)
    warnings.push({
      code: 'NOTE_LEFT_OUT',
      message: `${doubled} register notes name a task that another one named before; the first was believed.`,
    });
  return [...tasks.values()];
}

/** IDF writes the crashed task first; the note takes precedence. */
function crashedFirst(
  tasks: readonly DumpTask[],
  crashedTcb: number | null,
  warnings: ReportWarning[],
): DumpTask[] {
  const crashed = tasks.find((task) => task.tcbAddress === crashedTcb);
  if (crashed) return [crashed, ...tasks.filter((task) => task !== crashed)];
  if (crashedTcb !== null) {
    warnings.push({
      code: 'CRASHED_TASK_UNKNOWN',
      message: `The crashed task 0x${crashedTcb.toString(16)} is not among the dumped ones; the first was taken for it.`,
    });
  }
  return [...tasks];
}

function readRegisterNote(description: ByteReader, architecture: Architecture) {
  try {
    const tcbAddress = description.slice('pr_pid', 24, 4).u32();
    return { tcbAddress, registers: architecture.readRegisterNote(description) };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** IDF writes each task's control block, then its stack; after an ISR crash the interrupted stack follows the first. */
function describeTask(
  { tcbAddress, registers }: { tcbAddress: number; registers: RegisterSet },
  segmentOf: ReadonlyMap<number, number>,
  segments: readonly MemorySegment[],
  facts: Facts,
  architecture: Architecture,
  isFirst: boolean,
): DumpTask {
  const tcbIndex = segmentOf.get(tcbAddress);
  const tcb = tcbIndex === undefined ? undefined : segments[tcbIndex];
  const [first, second] = tcbIndex === undefined ? [] : segments.slice(tcbIndex + 1, tcbIndex + 3);
  const sp = registers.general[architecture.stackPointer] ?? 0;
  const stack =
    first && (holds(first, sp) || isTopOfStack(first, tcb) || isPlaceholder(first.address)) ? first : null;

  const interrupted =
    isFirst && facts.extra?.inInterrupt && second && isTopOfStack(second, tcb) ? second : null;
  return {
    tcbAddress,
    stack: stack && { start: stack.address, end: stack.address + stack.bytes.length },
    registers: stack && !isFirst ? architecture.completeRegisters(registers, stack) : registers,
    stackIsCorrupted:
      facts.brokenTasks.has(tcbAddress) ||
      isPlaceholder(registers.pc) ||
      (stack !== null && isPlaceholder(stack.address)),
    interrupted: interrupted && readInterrupted(interrupted, architecture),
  };
}

/** pxTopOfStack, the first word of a control block, is the address of the task's saved registers. */
function isTopOfStack(segment: MemorySegment, tcb: MemorySegment | undefined): boolean {
  if (!tcb || tcb.bytes.length < 4) return false;
  return new ByteReader('TCB', tcb.bytes).u32() === segment.address;
}

function holds(segment: MemorySegment, address: number): boolean {
  return address >= segment.address && address <= segment.address + segment.bytes.length;
}

/** The interrupted stack starts with the frame in which the interrupt saved the task's registers. */
function readInterrupted(segment: MemorySegment, architecture: Architecture): RegisterSet | null {
  const reader = new ByteReader('interrupted stack', segment.bytes);
  try {
    return architecture.completeRegisters(architecture.readStackFrame(reader), segment);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
