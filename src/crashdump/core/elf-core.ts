import type { Architecture } from '../arch/architecture.js';
import { NO_EXCEPTION, type RegisterSet } from '../arch/registers.js';
import { ByteReader, Malformed } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_TASKS } from '../limits.js';
import { readWord } from '../read-memory.js';
import type { ReportWarning } from '../warning.js';
import type { Core, DumpTask } from './core.js';
import { type CoreFile, type FileSegment, openCoreFile } from './elf-core-file.js';
import type { Gaps } from './gaps.js';
import { DumpMemory, isPlaceholder } from './memory.js';
import {
  type ExtraInfo,
  NOTE,
  type Note,
  readCoreDumpInfo,
  readExtraInfo,
  readPanicDetails,
  readTaskInfo,
} from './notes.js';
import type { ElfPayload } from './payload.js';

/**
 * @param gaps what was lost of the dump on the way
 * @throws UnreadableDump when it is no 32-bit little-endian core of these chips, or contains no task
 */
export function readElfCore({ reader }: ElfPayload, gaps: Gaps, chipId: number | null): Core {
  const warnings: ReportWarning[] = [];
  const file = openCoreFile(reader, gaps, chipId, warnings);
  const { architecture, notes } = file;
  const memory = new DumpMemory(file.memory);

  const facts = readFacts(notes, architecture);
  const tasks = collectTasks(file, memory, facts, warnings);
  const { extra } = facts;
  const isIncomplete = file.isCut || gaps.length > 0;
  const ordered = crashedFirst(tasks, extra?.crashedTcb ?? null, isIncomplete, warnings);
  const crashed = ordered[0];
  if (!crashed) {
    throw new UnreadableDump(
      isIncomplete
        ? 'The registers of all tasks are in a part of the core dump that is missing.'
        : 'The core dump holds the registers of no task.',
    );
  }

  return {
    architecture,
    memory,
    tasks: ordered,
    crashedTcb: extra?.crashedTcb ?? null,
    crashedTask: crashedTaskOf(extra, ordered, file, gaps, warnings),
    lacksExtraInfo: extra === null && isIncomplete,
    inInterrupt: extra?.inInterrupt ?? null,
    exception:
      architecture.findException({
        registers: crashed.registers,
        stackStart: crashed.stack?.start ?? null,
        extra: extra?.registers ?? null,
        read: memory.read,
      }) ?? NO_EXCEPTION,
    panicDetails: facts.panicDetails,
    appElfSha256: facts.appElfSha256,
    versionWord: facts.versionWord,
    chipId: facts.versionWord === null ? null : facts.versionWord >>> 16,
    incomplete: gaps.length === 0 ? [] : incompleteParts(file),
    warnings,
  };
}

/** Segments and notes that gaps touch; the control block of a task has its stack behind it. */
function incompleteParts({ segments, lostNotes, lostHeaders }: CoreFile): string[] {
  return [
    ...(lostHeaders > 0 ? [`${lostHeaders} program headers`] : []),
    ...(lostNotes > 0 ? [`notes in ${lostNotes === 1 ? 'one segment' : `${lostNotes} segments`}`] : []),
    ...segments
      .filter(({ hasGap }) => hasGap)
      .map(({ address, bytes }) => `${bytes.length} bytes of memory at 0x${address.toString(16)}`),
  ];
}

/** Without the note that names it, IDF's order says which one it is: the first, unless that one was lost. */
function crashedTaskOf(
  extra: ExtraInfo | null,
  tasks: readonly DumpTask[],
  { isCut, startsWithGap }: CoreFile,
  gaps: Gaps,
  warnings: ReportWarning[],
): Core['crashedTask'] {
  const isIncomplete = isCut || gaps.length > 0;
  if (extra?.crashedTcb === null) return 'broken';
  if (extra !== null) {
    const isHere = tasks.some(({ tcbAddress }) => tcbAddress === extra.crashedTcb);
    return isHere || !isIncomplete ? 'known' : 'lost';
  }
  if (startsWithGap) return 'lost';
  if (isIncomplete) {
    warnings.push({
      code: 'CRASHED_TASK_UNKNOWN',
      message:
        'What names the crashed task is in the part of the dump that is missing; the first task was taken for it, as devices write it first.',
    });
  }
  return 'known';
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
  { notes, architecture, segments }: CoreFile,
  memory: DumpMemory,
  facts: Facts,
  warnings: ReportWarning[],
): DumpTask[] {
  const places = {
    segments,
    memory,
    indexOf: new Map(segments.map(({ address }, index) => [address, index])),
  };
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
    else tasks.set(status.tcbAddress, describeTask(status, places, facts, architecture, tasks.size === 0));
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

/**
 * IDF writes the crashed task first; the note takes precedence.
 * @param isIncomplete the crashed task may be among the bytes that are missing: nobody is taken for it
 */
function crashedFirst(
  tasks: readonly DumpTask[],
  crashedTcb: number | null,
  isIncomplete: boolean,
  warnings: ReportWarning[],
): DumpTask[] {
  const crashed = tasks.find((task) => task.tcbAddress === crashedTcb);
  if (crashed) return [crashed, ...tasks.filter((task) => task !== crashed)];
  if (crashedTcb !== null) {
    const task = `The crashed task 0x${crashedTcb.toString(16)}`;
    warnings.push({
      code: 'CRASHED_TASK_UNKNOWN',
      message: isIncomplete
        ? `${task} is in the part of the dump that is missing.`
        : `${task} is not among the dumped ones; the first was taken for it.`,
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

interface Places {
  segments: readonly FileSegment[];
  /** Index in `segments`, by address. */
  indexOf: ReadonlyMap<number, number>;
  memory: DumpMemory;
}

function describeTask(
  { tcbAddress, registers }: { tcbAddress: number; registers: RegisterSet },
  places: Places,
  facts: Facts,
  architecture: Architecture,
  isFirst: boolean,
): DumpTask {
  const sp = registers.general[architecture.stackPointer] ?? 0;
  // pxTopOfStack, the first word of a control block: where the last task switch, or an interrupt, saved registers.
  const top = readWord(places.memory.read, tcbAddress);
  const stack = stackSegment(tcbAddress, top, sp, places);
  const isCrashed = facts.extra?.crashedTcb == null ? isFirst : tcbAddress === facts.extra.crashedTcb;
  const isInterrupted = isCrashed && facts.extra?.inInterrupt === true;
  return {
    tcbAddress,
    stack: stack && { start: stack.address, end: stack.address + stack.size },
    registers:
      stack && !isFirst && !stack.hasGap ? architecture.completeRegisters(registers, stack) : registers,
    stackIsCorrupted:
      facts.brokenTasks.has(tcbAddress) ||
      isPlaceholder(registers.pc) ||
      (stack !== null && isPlaceholder(stack.address)),
    interrupted:
      isInterrupted && top !== null && top !== stack?.address
        ? readInterrupted(top, places.memory, architecture)
        : null,
  };
}

/** The frame of the crashed task lies below its stack pointer, and is the start of what is dumped. */
const LARGEST_FRAME = 1024;

/**
 * The segment that is the task's stack: IDF writes it behind the control block. A larger one, in a dump of all memory,
 * contains the stack but says nothing of its bounds.
 */
function stackSegment(
  tcbAddress: number,
  top: number | null,
  sp: number,
  { segments, indexOf }: Places,
): FileSegment | null {
  const tcbIndex = indexOf.get(tcbAddress);
  const [tcb, next] = tcbIndex === undefined ? [] : segments.slice(tcbIndex, tcbIndex + 2);
  // Without a program header that was lost between them.
  if (!tcb || next?.index !== tcb.index + 1) return null;
  const isOwn =
    next.address === top ||
    isPlaceholder(next.address) ||
    (holds(next, sp) && sp - next.address <= LARGEST_FRAME);
  return isOwn ? next : null;
}

function holds(segment: FileSegment, address: number): boolean {
  return address >= segment.address && address <= segment.address + segment.size;
}

/** Where an interrupt came, it saved the task's registers on the task's stack, in whatever segment that is. */
function readInterrupted(top: number, memory: DumpMemory, architecture: Architecture): RegisterSet | null {
  const segment = memory.segmentAt(top);
  if (!segment) return null;
  const reader = new ByteReader('interrupted stack', segment.bytes);
  try {
    const start = top - segment.address;
    const stack = { address: top, bytes: segment.bytes.subarray(start) };
    const registers = architecture.readStackFrame(
      reader.slice('interrupted stack', start, reader.length - start),
    );
    return architecture.completeRegisters(registers, stack);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
