import { isCodeAddress } from '../arch/chips.js';
import { type CoreDraft, clean, type FoundCrash, MOST_CALLS, noCrash } from './found-crash.js';
import type { Line } from './lines.js';
import { architectureOf, bareCellsOf } from './register-cells.js';
import { StackLines } from './stack-lines.js';

/** NuttX on ESP chips (xtensa_assert.c, riscv_exception.c, sched/misc/assert.c): values have no 0x. */
const XTENSA = /(?:user_panic|xtensa_panic): .{0,40}EXCCAUSE=([0-9a-fA-F]{4})(?: task: (\S{1,32}))?/;
const RISCV =
  /riscv_exception: EXCEPTION: (.{1,64}?)\. MCAUSE: ([0-9a-fA-F]{8}), EPC: ([0-9a-fA-F]{8}), MTVAL: ([0-9a-fA-F]{8})/;
const ASSERTION = /(?:_assert|dump_assert_info): (Assertion failed .{0,200})/;
const TASK = / task(?:\(CPU\d\))?: (\S{1,32})/;
const REGISTERS = /(?:up_dump_register|xtensa_registerdump|riscv_registerdump): (.*)$/;
const STACK = /(?:stack_dump|up_stackdump): (.*)$/;
const CALLS = /sched_dumpstack: (?:backtrace\| {0,4}(\d{1,6}): (.*)|\[ {0,4}(\d{1,6})\] (.*))$/;
const HEX = /0x([0-9a-fA-F]{8})(?![0-9a-fA-F])/g;
const OTHER_TASKS = /dump_tasks?: /;
/** Two stacks and all tasks. */
const MOST_LINES = 500;
/** Beginnings without a panic: each costs the lines behind it. */
const MOST_ATTEMPTS = 128;

export function readNuttxCrashes(lines: readonly Line[]): FoundCrash[] {
  const found: FoundCrash[] = [];
  let attempts = 0;
  for (let index = 0; index < lines.length && attempts < MOST_ATTEMPTS; index++) {
    const body = lines[index]?.body ?? '';
    if (!isStart(body)) continue;
    const crash = readPanic(lines, index);
    if (crash === null) {
      attempts += 1;
      continue;
    }
    found.push(crash);
    index = crash.last;
  }
  return found;
}

function isStart(body: string): boolean {
  return (
    /panic|EXCEPTION|Assertion failed/.test(body) &&
    [XTENSA, RISCV, ASSERTION].some((start) => start.test(body))
  );
}

function readPanic(lines: readonly Line[], first: number): FoundCrash | null {
  const panic = noCrash('NuttX panic', first);
  const [core] = panic.cores;
  if (core === undefined) return null;
  const stack = new StackLines();
  let process: string | null = null;
  const end = Math.min(lines.length, first + MOST_LINES);
  for (let index = first; index < end; index++) {
    const { text } = lines[index] ?? { text: '' };
    if (OTHER_TASKS.test(text) || /\brst:0x/.test(text)) break;
    if (index > first && (XTENSA.test(text) || RISCV.test(text)) && core.registers.size > 0) break;
    const registers = REGISTERS.exec(text)?.[1];
    const memory = STACK.exec(text)?.[1];
    const calls = CALLS.exec(text);
    if (registers !== undefined) takeRegisters(core, registers);
    else if (memory !== undefined) stack.read(memory);
    else if (stack.isOpen && stack.read(text)) panic.last = index;
    else if (calls) {
      // The crashed task's comes first; others may follow.
      const id = calls[1] ?? calls[3] ?? '';
      process ??= id;
      if (process === id) takeCalls(core, calls[2] ?? calls[4] ?? '');
    } else if (!takeReason(panic, core, text)) continue;
    panic.last = index;
  }
  core.stack = stack.pieces;
  const pc = core.registers.get('pc') ?? core.registers.get('mepc');
  for (const call of core.calls) if (call.pc === pc) call.kind = 'fault';
  const architecture = panic.architecture ?? architectureOf(core.registers);
  const addresses = [pc ?? 0, core.registers.get('ra') ?? 0, ...core.calls.map((call) => call.pc)];
  if (architecture === null || !addresses.some(isCodeAddress)) return null;
  return { ...panic, architecture, missing: core.registers.size === 0 ? ['the registers'] : [] };
}

function takeReason(panic: ReturnType<typeof noCrash>, core: CoreDraft, text: string): boolean {
  const xtensa = XTENSA.exec(text);
  const riscv = RISCV.exec(text);
  const assertion = ASSERTION.exec(text)?.[1];
  if (xtensa) {
    panic.architecture = 'xtensa';
    panic.cause ??= Number.parseInt(xtensa[1] ?? '', 16);
    core.task ??= xtensa[2] ?? null;
  } else if (riscv) {
    panic.architecture = 'riscv';
    panic.exceptionName ??= clean(riscv[1] ?? '');
    panic.cause ??= Number.parseInt(riscv[2] ?? '', 16);
    panic.faultAddress ??= Number.parseInt(riscv[4] ?? '', 16);
    core.registers.set('mepc', Number.parseInt(riscv[3] ?? '', 16));
  } else if (assertion !== undefined) {
    // "user panic" is how NuttX calls an exception.
    if (!/^Assertion failed (?:user )?panic\b/.test(assertion)) panic.details ??= clean(assertion);
    core.task ??= TASK.exec(assertion)?.[1] ?? null;
  } else return false;
  return true;
}

function takeRegisters(core: CoreDraft, line: string): void {
  for (const [name, value] of bareCellsOf(line))
    if (!core.registers.has(name)) core.registers.set(name, value);
}

/** Return addresses as they are, behind the functions of the panic itself and the PC. */
function takeCalls(core: CoreDraft, line: string): void {
  for (const [, hex = ''] of line.matchAll(HEX))
    if (core.calls.length < MOST_CALLS)
      core.calls.push({ pc: Number.parseInt(hex, 16), sp: null, kind: 'return' });
}
