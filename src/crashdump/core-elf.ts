import { findRiscvException, readRiscvRegisterNote, readRiscvStackFrame } from './arch/riscv.js';
import { readXtensaRegisterNote, readXtensaStackFrame, xtensaException } from './arch/xtensa.js';
import { ByteReader, Malformed } from './bytes.js';
import type { Architecture } from './chips.js';
import type { ElfPayload } from './container.js';
import type { Dump, DumpTask } from './dump.js';
import { MAX_NOTES, MAX_SEGMENTS, MAX_TASKS } from './limits.js';
import { DumpMemory, type MemorySegment } from './memory.js';
import {
  type ExtraInfo,
  NOTE,
  type Note,
  readCoreDumpInfo,
  readExtraInfo,
  readNotes,
  readPanicDetails,
  readTaskInfo,
} from './notes.js';
import { NO_EXCEPTION, type RegisterSet } from './registers.js';
import { UnreadableDump } from './unreadable.js';

/** What a payload alone tells; the container adds the rest. */
export type Core = Omit<Dump, 'format' | 'checksum' | 'chip' | 'chipRevision'> & {
  /** Repeated inside the ELF. */
  versionWord: number | null;
  chipId: number | null;
};

const ET_CORE = 4;
const MACHINES: ReadonlyMap<number, Architecture> = new Map([
  [0x5e, 'xtensa'],
  [0xf3, 'riscv'],
]);
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const PROGRAM_HEADER_SIZE = 32;

/** Placeholders that the device wrote for stacks that it found broken (COREDUMP_FAKE_STACK_START, per chip). */
export function isFakeAddress(address: number): boolean {
  return (address >= 0x20000000 && address < 0x2f000000) || (address >= 0x70000000 && address < 0x80000000);
}

/** @throws UnreadableDump when it is no 32-bit little-endian core of these chips, or holds no task */
export function readElfCore({ reader }: ElfPayload): Core {
  const warnings: string[] = [];
  const header = readHeader(reader);
  const { segments, notes } = readSegments(reader, header, warnings);
  const memory = new DumpMemory(segments);

  const facts = readFacts(notes, header.architecture);
  const tasks = crashedFirst(
    collectTasks(notes, header.architecture, segments, facts, warnings),
    facts.extra?.crashedTcb ?? null,
    warnings,
  );
  const crashed = tasks[0];
  if (!crashed) throw new UnreadableDump('The core dump holds the registers of no task.');

  return {
    architecture: header.architecture,
    memory,
    tasks,
    crashedTcb: facts.extra?.crashedTcb ?? null,
    inInterrupt: facts.extra?.inInterrupt ?? null,
    exception: readException(header.architecture, crashed, facts.extra, memory),
    panicDetails: facts.panicDetails,
    appElfSha256: facts.appElfSha256,
    versionWord: facts.versionWord,
    chipId: facts.versionWord === null ? null : facts.versionWord >>> 16,
    warnings,
  };
}

interface Header {
  architecture: Architecture;
  programHeaderOffset: number;
  programHeaderSize: number;
  programHeaderCount: number;
}

function readHeader(reader: ByteReader): Header {
  if (reader.length < 52) {
    throw new UnreadableDump(`The core ELF is cut inside its header: ${reader.length} of 52 bytes.`);
  }
  const header = reader.slice('core ELF header', 0, 52);
  if (header.u32() !== 0x464c457f)
    throw new UnreadableDump('The dump announces an ELF core, but no ELF stands in it.');
  if (header.u8() !== 1 || header.u8() !== 1) {
    throw new UnreadableDump('The core ELF is not a 32-bit little-endian one, as every ESP32 writes it.');
  }
  header.seek(16);
  const type = header.u16();
  const machine = header.u16();
  if (type !== ET_CORE) {
    throw new UnreadableDump('This ELF is no core dump (its type is not ET_CORE); is it the firmware?');
  }
  const architecture = MACHINES.get(machine);
  if (!architecture)
    throw new UnreadableDump(
      `The core ELF is of machine 0x${machine.toString(16)}, neither Xtensa nor RISC-V.`,
    );
  header.seek(28);
  const programHeaderOffset = header.u32();
  header.seek(42);
  return {
    architecture,
    programHeaderOffset,
    programHeaderSize: header.u16(),
    programHeaderCount: header.u16(),
  };
}

/** Reads as many segments as are really there; the rest is a warning. */
function readSegments(reader: ByteReader, header: Header, warnings: string[]) {
  const segments: MemorySegment[] = [];
  const notes: Note[] = [];
  if (header.programHeaderSize < PROGRAM_HEADER_SIZE) {
    throw new UnreadableDump(
      `The core ELF has program headers of ${header.programHeaderSize} bytes instead of 32.`,
    );
  }
  for (let index = 0; index < header.programHeaderCount; index++) {
    try {
      const at = header.programHeaderOffset + index * header.programHeaderSize;
      const entry = reader.slice(`program header ${index}`, at, PROGRAM_HEADER_SIZE);
      const type = entry.u32();
      const offset = entry.u32();
      const address = entry.u32();
      entry.skip(4);
      const fileSize = entry.u32();
      entry.skip(4);
      const executable = (entry.u32() & PF_X) !== 0;
      if (type !== PT_LOAD && type !== PT_NOTE) continue;
      const available = Math.min(fileSize, Math.max(0, reader.length - offset));
      if (available < fileSize) {
        warnings.push(
          `Segment ${index} at 0x${address.toString(16)} is cut: ${available} of ${fileSize} bytes are here.`,
        );
      }
      if (available === 0) continue;
      const body = reader.slice(`segment ${index}`, offset, available);
      if (notes.length >= MAX_NOTES || segments.length >= MAX_SEGMENTS) {
        warnings.push(
          `Only ${index} of ${header.programHeaderCount} segments were read: there are too many.`,
        );
        break;
      }
      if (type === PT_NOTE) {
        for (const note of readNotes(body)) if (notes.push(note) >= MAX_NOTES) break;
      } else if (address + available <= 2 ** 32) segments.push({ address, bytes: body.bytes, executable });
      else warnings.push(`Segment ${index} reaches beyond the end of the address space and was left out.`);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      warnings.push(
        `Only ${index} of ${header.programHeaderCount} program headers are readable (${error.message}).`,
      );
      break;
    }
  }
  return { segments, notes };
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
  warnings: string[],
): DumpTask[] {
  const segmentOf = new Map(segments.map((segment, index) => [segment.address, index]));
  const tasks = new Map<number, DumpTask>();
  let unreadable = 0;
  let doubled = 0;
  for (const { type, description } of notes) {
    if (type !== NOTE.registers) continue;
    if (tasks.size >= MAX_TASKS) {
      warnings.push(`The dump holds more than ${MAX_TASKS} tasks; the others were left out.`);
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
  if (unreadable > 0) warnings.push(`${unreadable} register notes are too short and were left out.`);
  if (doubled > 0)
    warnings.push(
      `${doubled} register notes name a task that another one named before; the first was believed.`,
    );
  return [...tasks.values()];
}

/** IDF writes the crashed task first; what the note says settles it. */
function crashedFirst(tasks: readonly DumpTask[], crashedTcb: number | null, warnings: string[]): DumpTask[] {
  const crashed = tasks.find((task) => task.tcbAddress === crashedTcb);
  if (crashed) return [crashed, ...tasks.filter((task) => task !== crashed)];
  if (crashedTcb !== null) {
    warnings.push(
      `The crashed task 0x${crashedTcb.toString(16)} is not among the dumped ones; the first was taken for it.`,
    );
  }
  return [...tasks];
}

function readRegisterNote(description: ByteReader, architecture: Architecture) {
  try {
    const tcbAddress = description.slice('pr_pid', 24, 4).u32();
    const registers =
      architecture === 'xtensa' ? readXtensaRegisterNote(description) : readRiscvRegisterNote(description);
    return { tcbAddress, registers };
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
  const sp = stackPointer(registers, architecture);
  const stack =
    first && (holds(first, sp) || isTopOfStack(first, tcb) || isFakeAddress(first.address)) ? first : null;

  const interrupted =
    isFirst && facts.extra?.inInterrupt && second && isTopOfStack(second, tcb) ? second : null;
  return {
    tcbAddress,
    stack: stack && { start: stack.address, end: stack.address + stack.bytes.length },
    registers,
    stackIsCorrupted:
      facts.brokenTasks.has(tcbAddress) ||
      isFakeAddress(registers.pc) ||
      (stack !== null && isFakeAddress(stack.address)),
    interrupted: interrupted && readInterrupted(interrupted, architecture),
  };
}

/** The first word of a control block, pxTopOfStack, says where the task's registers were saved. */
function isTopOfStack(segment: MemorySegment, tcb: MemorySegment | undefined): boolean {
  if (!tcb || tcb.bytes.length < 4) return false;
  return new ByteReader('TCB', tcb.bytes).u32() === segment.address;
}

function holds(segment: MemorySegment, address: number): boolean {
  return address >= segment.address && address <= segment.address + segment.bytes.length;
}

function stackPointer(registers: RegisterSet, architecture: Architecture): number {
  return registers.general[architecture === 'xtensa' ? 1 : 2] ?? 0;
}

/** The interrupted stack starts with the frame in which the interrupt saved the task's registers. */
function readInterrupted(segment: MemorySegment, architecture: Architecture): RegisterSet | null {
  const reader = new ByteReader('interrupted stack', segment.bytes);
  try {
    return architecture === 'xtensa' ? readXtensaStackFrame(reader) : readRiscvStackFrame(reader);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function readException(
  architecture: Architecture,
  crashed: DumpTask,
  extra: ExtraInfo | null,
  memory: DumpMemory,
) {
  if (architecture === 'xtensa') return extra ? xtensaException(extra.registers) : NO_EXCEPTION;
  return findRiscvException(crashed.registers, crashed.stack?.start ?? null, memory.read);
}
