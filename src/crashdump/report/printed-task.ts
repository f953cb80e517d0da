import { NO_EXCEPTION } from '../arch/registers.js';
import type { Dump } from '../core/core.js';
import { hex32 } from '../hex.js';
import type { CrashTask, Register } from '../report.js';
import { type BacktraceContext, backtraceWithDoubt } from './backtrace.js';
import type { CrashDoubt } from './firmware-fit.js';
import { printedBacktrace } from './printed-backtrace.js';
import type { PrintedTask } from './printed-chain.js';
import { listedRegisters } from './register-list.js';

interface PrintedTaskSources {
  dump: Dump;
  context: BacktraceContext;
  /** Of the crashed task. */
  registers: Register[];
  crashDoubt: CrashDoubt | null;
}

/** What was printed of one core, as a task: its control block is not known. */
export function describePrintedTask(
  task: PrintedTask,
  crashed: boolean,
  { dump, context, registers, crashDoubt }: PrintedTaskSources,
): CrashTask {
  const { printed } = task;
  const { frames, end } = backtraceWithDoubt(context, crashed ? crashDoubt : null, (from) =>
    printedBacktrace(task, from, crashed ? dump.exception : null),
  );
  return {
    name: printed.task ?? taskInText(dump, crashed) ?? '',
    tcb: hex32(0),
    crashed,
    priority: null,
    basePriority: null,
    state: 'running',
    waitingFor: null,
    stackUsed: null,
    stackFree: null,
    stackNeverUsed: null,
    stackOverflow: null,
    stackCorrupted: false,
    core: printed.core ?? coreInText(dump, crashed),
    coreAffinity: null,
    registers: crashed ? registers : otherRegisters(task, dump, context),
    frames,
    backtraceEnd: end,
    interruptedFrames: [],
  };
}

function otherRegisters(
  { registers, printed }: PrintedTask,
  { architecture }: Dump,
  context: BacktraceContext,
) {
  if (printed.registers.size === 0) return [];
  return listedRegisters(architecture.listRegisters(registers, NO_EXCEPTION, ''), context.firmware);
}

const TASK_IN_TEXT = [
  // The stack guard, FreeRTOS' check and the watchpoint find it in the task that runs.
  /^Detected in task "([^"]{1,64})"/,
  /A stack overflow in task (.{1,64}) has been detected/,
  /canary watchpoint triggered \((.{1,64})\)/,
];

function taskInText({ text, panicDetails }: Dump, crashed: boolean): string | null {
  if (!crashed) return null;
  for (const line of [panicDetails ?? '', ...(text?.exceptionDetails ?? [])])
    for (const pattern of TASK_IN_TEXT) {
      const name = pattern.exec(line.trim())?.[1];
      if (name !== undefined) return name;
    }
  return null;
}

/** "abort() was called at PC 0x42009351 on core 0" */
function coreInText({ panicDetails }: Dump, crashed: boolean): number | null {
  const named = crashed ? / on core ([01])\b/.exec(panicDetails ?? '')?.[1] : undefined;
  return named === undefined ? null : Number(named);
}
