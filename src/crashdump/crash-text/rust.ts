import { isCodeAddress } from '../arch/chips.js';
import type { PrintedCall } from './crash-text.js';
import { type CoreDraft, clean, type FoundCrash, noCrash } from './found-crash.js';
import type { Line } from './lines.js';
import { cells } from './register-cells.js';

/** esp-backtrace: since 0.15, before it, and the exceptions of versions before 0.18. Since then they are panics. */
const PANIC = /^=+ PANIC =+$/;
const OLD_PANIC =
  /^!! A panic occured (?:in '(.{1,256})', at line (\d{1,7}), column (\d{1,5})|at an unknown location)/;
const OLD_EXCEPTION = /^Exception (?:occured )?'/;
const EXCEPTION =
  /^(?:\[(\w{1,16})\] )?Exception '(.{1,64}?)(?: \([0-9a-f]{1,4}\))?' mepc=0x([0-9a-fA-F]{1,8}), mtval=0x([0-9a-fA-F]{1,8})/;
const XTENSA_EXCEPTION = /^Exception occurr?ed (?:on (\w{1,16}) )?'(\w{1,64})'/;
/** `PC=0x400d66bc       PS=0x00060330` (xtensa-lx-rt). */
const CELL =
  /(?<![A-Za-z0-9])(PC|PS|A\d{1,2}|SAR|EXCCAUSE|EXCVADDR|LBEG|LEND|LCOUNT)=(?:0x)?([0-9a-fA-F]{8})(?![0-9a-zA-Z])/g;
const PLACE = /^panicked at .{1,256}:\d{1,7}:\d{1,5}:/;
const MESSAGE = /^message: /;
/** espflash repeats each with its function. */
const ADDRESS = /^0x([0-9a-f]{1,8})(?: - (.*))?$/i;
const STACK_DUMP = /STACKDUMP: ([0-9a-f]{8}) ([0-9a-f]*)$/i;
const MOST_LINES = 200;
const MOST_MESSAGE_LINES = 8;
const MOST_ADDRESSES = 128;
/** The largest that can be configured. */
const MOST_STACK_BYTES = 32 * 1024;
/**
 * STACKDUMP has the PC and not the stack pointer, and no address of the stack is needed to unwind. This one is of no chip, so
 * that no pointer can be taken for one into it, and none of a placeholder.
 */
const STACK_ADDRESS = 0x1000_0000;

export function readRustCrashes(lines: readonly Line[]): FoundCrash[] {
  const found: FoundCrash[] = [];
  for (let index = 0; index < lines.length; index++) {
    if (!isStart(lines[index]?.body ?? '')) continue;
    const crash = readPanic(lines, index);
    if (crash === null) continue;
    found.push(crash);
    index = crash.last;
  }
  return found;
}

function isStart(body: string): boolean {
  const first = body.charCodeAt(0);
  if (first !== 0x3d && first !== 0x21 && first !== 0x45) return false;
  return PANIC.test(body) || OLD_PANIC.test(body) || (OLD_EXCEPTION.test(body) && isException(body));
}

function readPanic(lines: readonly Line[], first: number): FoundCrash | null {
  const start = lines[first]?.body ?? '';
  const panic = { ...noCrash('Rust panic', first), exceptionDetails: [] as string[] };
  const [core] = panic.cores;
  if (core === undefined) return null;
  const isOldException = takeException(panic, core, start);
  const message = OLD_PANIC.test(start) ? [start.replace(/^!! /, '').replace(/:$/, '')] : [];
  let isInTrace = isOldException;
  // What stopped an Xtensa chip before 0.18 was printed without the correction that panics have.
  const kind = isOldException && panic.architecture === 'xtensa' ? 'return' : 'call';
  const end = Math.min(lines.length, first + MOST_LINES);
  for (let index = first + 1; index < end; index++) {
    const { body } = lines[index] ?? { body: '' };
    if (body === '') continue;
    if (isStart(body) || /\brst:0x/.test(body)) break;
    const address = ADDRESS.exec(body);
    const stack = STACK_DUMP.exec(body);
    const registers = cells(body, CELL);
    if (/^Backtrace:/.test(body)) isInTrace = true;
    else if (takeException(panic, core, body)) message.length = 0;
    else if (registers.length > 0) for (const [name, value] of registers) core.registers.set(name, value);
    else if (stack) takeStack(panic, core, stack[1] ?? '', stack[2] ?? '');
    else if (address && isInTrace)
      addCall(core, { pc: Number.parseInt(address[1] ?? '', 16), sp: null, kind }, address[2] !== undefined);
    else if (!isInTrace && message.length < MOST_MESSAGE_LINES) message.push(body);
    else if (isInTrace && core.calls.length > 0 && !/^at /.test(body)) break;
    else continue;
    panic.last = index;
  }
  if (panic.exceptionName === null) panic.details = clean(messageOf(message));
  const hasCode = [...core.registers.values(), ...core.calls.map(({ pc }) => pc)].some(isCodeAddress);
  if (!hasCode && panic.exceptionName === null && (panic.details ?? '') === '') return null;
  return { ...panic, missing: hasCode ? [] : ['the backtrace'] };
}

/** The place and the message; of a printed `PanicInfo` its message. */
function messageOf(lines: readonly string[]): string {
  const at = lines.findIndex((line) => MESSAGE.test(line));
  const [head = '', ...others] = lines;
  if (at < 0)
    return PLACE.test(head) || others.length === 0 || head === ''
      ? lines.join(' ')
      : `${head}: ${others.join(' ')}`;
  const inner = (lines[at] ?? '').replace(MESSAGE, '').replace(/^Some\($/, '') || (lines[at + 1] ?? '');
  return `${head}: ${inner.replace(/,$/, '')}`;
}

function isException(body: string): boolean {
  return EXCEPTION.test(body) || XTENSA_EXCEPTION.test(body);
}

/** @returns whether the line is an exception of the processor */
function takeException(panic: ReturnType<typeof noCrash>, core: CoreDraft, body: string): boolean {
  const riscv = EXCEPTION.exec(body);
  const xtensa = riscv ? null : XTENSA_EXCEPTION.exec(body);
  const [, cpu, name, mepc, mtval] = riscv ?? xtensa ?? [];
  if (name === undefined) return false;
  panic.exceptionName = clean(name);
  panic.architecture = riscv ? 'riscv' : 'xtensa';
  if (cpu !== undefined) core.core = cpu === 'AppCpu' ? 1 : 0;
  if (mtval !== undefined) panic.faultAddress = Number.parseInt(mtval, 16);
  if (mepc !== undefined) core.registers.set('mepc', Number.parseInt(mepc, 16));
  return true;
}

/**
 * The crate has taken 3 (Xtensa) or 4 (RISC-V) from each return address.
 * @param isExplained espflash has put the function behind an address that stands in the line before as well
 */
function addCall(core: CoreDraft, call: PrintedCall, isExplained: boolean): void {
  if (isExplained && core.calls.at(-1)?.pc === call.pc) return;
  if (core.calls.length < MOST_ADDRESSES) core.calls.push(call);
}

/** `STACKDUMP: <pc> <bytes from the stack pointer on>` of RISC-V chips without frame pointers, in esp-backtrace since 0.18. */
function takeStack(
  panic: { architecture: string | null },
  core: CoreDraft,
  pc: string,
  digits: string,
): void {
  panic.architecture = 'riscv';
  core.registers.set('mepc', Number.parseInt(pc, 16));
  core.registers.set('sp', STACK_ADDRESS);
  const size = Math.min(MOST_STACK_BYTES, digits.length >> 1) & ~3;
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  if (size > 0) core.stack = [{ address: STACK_ADDRESS, bytes }];
}
