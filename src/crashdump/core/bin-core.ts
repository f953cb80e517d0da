import type { Architecture } from '../arch/architecture.js';
import { FIRST_ARCHITECTURE } from '../arch/architectures.js';
import { chipById } from '../arch/chips.js';
import { type ExceptionRegisters, NO_EXCEPTION } from '../arch/registers.js';
import { type ByteReader, Malformed } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_TASKS } from '../limits.js';
import type { ReportWarning } from '../warning.js';
import type { BinPayload } from './container.js';
import type { Core, DumpTask } from './core.js';
import { DumpMemory, isPlaceholder, type MemorySegment } from './memory.js';

/** The largest task control block that is accepted; real ones have 0x150 to 0x200 bytes. */
const MAX_TCB_SIZE = 64 * 1024;

/**
 * The format before ELF: for each task { TCB address, stack top, stack end } TCB, stack; then, since v2, memory
 * segments. Registers are in the frame at the start of each stack; the first task is the crashed one.
 * @throws UnreadableDump when the first task is not complete
 */
export function readBinCore({ reader, taskCount, tcbSize, segmentCount }: BinPayload, chipId: number): Core {
  const warnings: ReportWarning[] = [];
  const architecture = chipById(chipId)?.architecture ?? FIRST_ARCHITECTURE;
  if (tcbSize === 0 || tcbSize > MAX_TCB_SIZE) {
    throw new UnreadableDump(`The BIN core dump claims task control blocks of ${tcbSize} bytes.`);
  }

  const segments: MemorySegment[] = [];
  const tasks: DumpTask[] = [];
  let exceptionFrame: ExceptionRegisters = NO_EXCEPTION;
  try {
    for (let index = 0; index < taskCount; index++) {
      if (index >= MAX_TASKS) {
        warnings.push({
          code: 'LIMIT_REACHED',
          message: `The dump announces ${taskCount} tasks; only the first ${MAX_TASKS} were read.`,
        });
        break;
      }
      const { task, stack, memory } = readTask(reader, index, tcbSize, architecture);
      tasks.push(task);
      segments.push(...memory);
      if (index === 0) exceptionFrame = architecture.readExceptionFrame(stack);
    }
    if (tasks.length === taskCount) readMemorySegments(reader, segmentCount ?? 0, segments);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    if (tasks.length === 0) throw new UnreadableDump(`Not even the crashed task is whole: ${error.message}.`);
    warnings.push({
      code: 'DUMP_CUT',
      message: `The dump ends early, after ${tasks.length} of ${taskCount} tasks: ${error.message}.`,
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
    inInterrupt: null,
    exception,
    panicDetails: null,
    appElfSha256: null,
    versionWord: null,
    chipId: null,
    warnings,
  };
}

function readTask(reader: ByteReader, index: number, tcbSize: number, architecture: Architecture) {
  const tcbAddress = reader.u32();
  const top = reader.u32();
  const end = reader.u32();
  const tcb = reader.take(tcbSize);
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
  const memory: MemorySegment[] = [
    { address: tcbAddress, bytes: tcb, executable: false },
    { address: start, bytes: stack.bytes, executable: false },
  ];
  return {
    task,
    stack,
    memory: memory.filter(({ address, bytes }) => bytes.length > 0 && address + bytes.length <= 2 ** 32),
  };
}

function readMemorySegments(reader: ByteReader, count: number, into: MemorySegment[]): void {
  for (let index = 0; index < count; index++) {
    const address = reader.u32();
    const bytes = reader.take(reader.u32());
    // IDF pads the data of a segment to words (core_dump_binary.c).
    reader.align(4);
    if (bytes.length > 0 && address + bytes.length <= 2 ** 32)
      into.push({ address, bytes, executable: false });
  }
}
