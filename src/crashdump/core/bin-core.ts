import type { Architecture } from '../arch/architecture.js';
import { FIRST_ARCHITECTURE } from '../arch/architectures.js';
import { chipById } from '../arch/chips.js';
import { type ExceptionRegisters, NO_EXCEPTION } from '../arch/registers.js';
import { type ByteReader, Malformed } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_TASKS } from '../limits.js';
import type { ReportWarning } from '../warning.js';
import type { Core, DumpTask } from './core.js';
import { type Gaps, isTouched, presentParts } from './gaps.js';
import { DumpMemory, isPlaceholder, type MemorySegment } from './memory.js';
import type { BinPayload } from './payload.js';

/** The largest task control block that is accepted; real ones have 0x150 to 0x200 bytes. */
const MAX_TCB_SIZE = 64 * 1024;

/**
 * The format before ELF: for each task { TCB address, stack top, stack end } TCB, stack; then, since v2, memory
 * segments. Registers are in the frame at the start of each stack; the first task is the crashed one.
 * @throws UnreadableDump when the first task is not complete
 */
export function readBinCore(
  { reader, taskCount, tcbSize, segmentCount }: BinPayload,
  chipId: number,
  gaps: Gaps,
): Core {
  const warnings: ReportWarning[] = [];
  const architecture = chipById(chipId)?.architecture ?? FIRST_ARCHITECTURE;
  if (tcbSize === 0 || tcbSize > MAX_TCB_SIZE) {
    throw new UnreadableDump(`The BIN core dump claims task control blocks of ${tcbSize} bytes.`);
  }

  const segments: MemorySegment[] = [];
  const tasks: DumpTask[] = [];
  const incomplete: string[] = [];
  let exceptionFrame: ExceptionRegisters = NO_EXCEPTION;
  let done = 0;
  try {
    for (let index = 0; index < taskCount; index++) {
      if (index >= MAX_TASKS) {
        warnings.push({
          code: 'LIMIT_REACHED',
          message: `The dump announces ${taskCount} tasks; only the first ${MAX_TASKS} were read.`,
        });
        break;
      }
      const { task, stack, memory, hasFrame, isWhole } = readTask(reader, index, tcbSize, architecture, gaps);
      segments.push(...memory);
      if (!isWhole) incomplete.push(`the task at 0x${task.tcbAddress.toString(16)}`);
      if (hasFrame) tasks.push(task);
      else if (index === 0)
        throw new UnreadableDump('The registers of the crashed task were lost on the way.');
      if (index === 0) exceptionFrame = architecture.readExceptionFrame(stack);
      done++;
    }
    if (done === taskCount) readMemorySegments(reader, segmentCount ?? 0, gaps, segments);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    if (tasks.length === 0) throw new UnreadableDump(`Not even the crashed task is whole: ${error.message}.`);
    warnings.push({
      code: 'DUMP_CUT',
      message: `The dump ends early, after ${done} of ${taskCount} tasks: ${error.message}.`,
    });
  }
  const crashed = tasks[0];
  if (!crashed) throw new UnreadableDump('The BIN core dump announces no task.');

  const memory = new DumpMemory(segments);
  const exception =
    architecture.findException({
      registers: crashed.registers,
      stackStart: crashed.stack?.start ?? null,
      extra: null,
      read: memory.read,
    }) ?? exceptionFrame;
  return {
    architecture,
    memory,
    tasks,
    crashedTcb: crashed.tcbAddress,
    crashedTask: 'known',
    lacksExtraInfo: false,
    inInterrupt: null,
    exception,
    panicDetails: null,
    appElfSha256: null,
    versionWord: null,
    chipId: null,
    incomplete,
    warnings,
  };
}

function readTask(
  reader: ByteReader,
  index: number,
  tcbSize: number,
  architecture: Architecture,
  gaps: Gaps,
) {
  const begin = reader.base + reader.position;
  refuseGap(gaps, begin, 12);
  const tcbAddress = reader.u32();
  const top = reader.u32();
  const end = reader.u32();
  const tcb = reader.split(`TCB of task ${index}`, tcbSize);
  reader.align(4);
  // The writer accepts both orders (esp_core_dump_get_memory_len).
  const start = Math.min(top, end);
  const stack = reader.split(`stack of task ${index}`, Math.abs(end - top));
  reader.align(4);
  const registers = architecture.readStackFrame(stack);
  const task: DumpTask = {
    tcbAddress,
    stack: { start, end: start + stack.length },
    registers,
    stackIsCorrupted: isPlaceholder(start) || isPlaceholder(tcbAddress),
    interrupted: null,
  };
  return {
    task,
    stack,
    memory: [...around(gaps, tcb, tcbAddress), ...around(gaps, stack, start)],
    hasFrame: !isTouched(gaps, stack.base, Math.min(stack.length, LONGEST_FRAME)),
    isWhole: !isTouched(gaps, begin, reader.base + reader.position - begin),
  };
}

/** Bytes of the saved registers at the start of a stack. */
const LONGEST_FRAME = 160;

/** Without its sizes, nothing behind a record has a place. */
function refuseGap(gaps: Gaps, at: number, length: number): void {
  if (isTouched(gaps, at, length)) throw new Malformed(`the sizes at ${at} were lost on the way`);
}

/** The parts of a block of memory that are here. */
function around(gaps: Gaps, block: ByteReader, address: number): MemorySegment[] {
  if (address + block.length > 2 ** 32) return [];
  return presentParts(gaps, block.base, block.length).map(([start, end]) => ({
    address: address + start,
    bytes: block.bytes.subarray(start, end),
    executable: false,
  }));
}

function readMemorySegments(reader: ByteReader, count: number, gaps: Gaps, into: MemorySegment[]): void {
  for (let index = 0; index < count; index++) {
    refuseGap(gaps, reader.base + reader.position, 8);
    const address = reader.u32();
    const block = reader.split(`memory segment ${index}`, reader.u32());
    // IDF pads the data of a segment to words (core_dump_binary.c).
    reader.align(4);
    into.push(...around(gaps, block, address));
  }
}
