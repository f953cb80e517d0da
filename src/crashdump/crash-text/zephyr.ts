import { isCodeAddress } from '../arch/chips.js';
import { backtraceAt } from './backtrace-line.js';
import { type CoreDraft, clean, type FoundCrash, MOST_CALLS, noCrash } from './found-crash.js';
import type { Line } from './lines.js';
import { architectureOf, type Cell, cells } from './register-cells.js';

/** Zephyr on ESP chips (arch/xtensa: vector_handlers.c, arch/riscv: fatal.c). */
const XTENSA = /\*\* FATAL EXCEPTION/;
const XTENSA_CAUSE = /\*\* CPU (\d) EXCCAUSE (\d{1,3}) \((.{1,64}?)\)/;
const RISCV = /(?:^|\s)mcause: (\d{1,10}), (.{1,64})$/;
const MTVAL = /(?:^|\s)mtval: ([0-9a-fA-F]{1,8})$/;
const FATAL = />>> ZEPHYR FATAL ERROR \d{1,3}: (.{1,80}?) on CPU (\d)/;
const THREAD = /Current thread: 0x[0-9a-fA-F]{1,8} \((.{1,32})\)/;
const ASSERTION = /^ASSERTION FAIL .{1,300}/;
/** `**  A0 0x800d66f8  SP 0x3ffb4e90`, of `%p`: without leading zeros. */
const XTENSA_CELL =
  /(?<![A-Za-z0-9])(A\d{1,2}|SP|PC|PS|VADDR|LBEG|LEND|LCOUNT|SAR) 0x([0-9a-fA-F]{1,8})(?= |$)/g;
const RISCV_CELL =
  /(?<![A-Za-z0-9])(a\d|t\d|s\d{1,2}|sp|ra|gp|tp|mepc|mstatus): ([0-9a-fA-F]{8})(?![0-9a-zA-Z])/g;
const RISCV_CALL = /^\d{1,3}: .{0,40}\bra: ([0-9a-fA-F]{8})/;
const MOST_LINES = 120;

export function readZephyrCrashes(lines: readonly Line[]): FoundCrash[] {
  const found: FoundCrash[] = [];
  for (let index = 0; index < lines.length; index++) {
    const body = lines[index]?.body ?? '';
    if (!XTENSA.test(body) && !RISCV.test(body)) continue;
    const crash = readPanic(lines, index);
    if (crash === null) continue;
    found.push(crash);
    index = crash.last;
  }
  return found;
}

function readPanic(lines: readonly Line[], first: number): FoundCrash | null {
  const panic = { ...noCrash('Zephyr panic', first), exceptionDetails: [] as string[] };
  const [core] = panic.cores;
  if (core === undefined) return null;
  const before = lines[first - 1]?.body ?? '';
  if (ASSERTION.test(before)) panic.details = clean(before);
  const end = Math.min(lines.length, first + MOST_LINES);
  for (let index = first; index < end; index++) {
    const { body } = lines[index] ?? { body: '' };
    if ((index > first && (XTENSA.test(body) || RISCV.test(body))) || /\brst:0x/.test(body)) break;
    const backtrace = backtraceAt(lines, index);
    const call = RISCV_CALL.exec(body)?.[1];
    const registers = panic.architecture === 'riscv' ? cells(body, RISCV_CELL) : xtensaCells(body);
    if (backtrace !== null && backtrace.entries.length > 0) {
      core.calls = backtrace.entries.map(({ pc, sp }) => ({ pc, sp, kind: 'call' }));
      core.callsEnd = backtrace.end;
    } else if (call !== undefined && core.calls.length < MOST_CALLS)
      core.calls.push({ pc: Number.parseInt(call, 16), sp: null, kind: 'return' });
    else if (registers.length > 0) for (const [name, value] of registers) core.registers.set(name, value);
    else if (!takeReason(panic, core, body)) continue;
    panic.last = index;
  }
  const architecture = panic.architecture ?? architectureOf(core.registers);
  const addresses = [...core.registers.values(), ...core.calls.map(({ pc }) => pc)];
  return addresses.some(isCodeAddress)
    ? { ...panic, architecture, missing: core.registers.size === 0 ? ['the registers'] : [] }
    : null;
}

function takeReason(
  panic: ReturnType<typeof noCrash> & { exceptionDetails: string[] },
  core: CoreDraft,
  body: string,
): boolean {
  const xtensa = XTENSA_CAUSE.exec(body);
  const riscv = RISCV.exec(body);
  const mtval = MTVAL.exec(body)?.[1];
  const fatal = FATAL.exec(body);
  const thread = THREAD.exec(body)?.[1];
  if (xtensa) {
    panic.architecture = 'xtensa';
    panic.cause = Number(xtensa[2]);
    panic.exceptionName = clean(xtensa[3] ?? '');
    core.core = Number(xtensa[1]);
  } else if (riscv) {
    panic.architecture = 'riscv';
    panic.cause = Number(riscv[1]) >>> 0;
    panic.exceptionName = clean(riscv[2] ?? '');
  } else if (mtval !== undefined) panic.faultAddress = Number.parseInt(mtval, 16);
  else if (fatal) {
    panic.exceptionDetails.push(clean(body));
    core.core ??= Number(fatal[2]);
  } else if (thread !== undefined) core.task = clean(thread);
  else return XTENSA.test(body);
  return true;
}

/** Its SP is A1. */
function xtensaCells(body: string): Cell[] {
  if (!body.includes('**')) return [];
  const plain = body.replaceAll(' (nil)', ' 0x0').replaceAll(/(?<![A-Za-z0-9])SP (?=0x)/g, 'A1 ');
  return cells(plain, XTENSA_CELL);
}
