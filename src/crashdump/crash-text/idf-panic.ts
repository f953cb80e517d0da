import { type BacktraceLines, backtraceAt } from './backtrace-line.js';
import { clean, type FoundCrash, MOST_CALLS, newCore } from './found-crash.js';
import { isBoot, resetIn, resetPlaceIn, shaIn } from './idf-boot.js';
import { abortIn, exceptionIn, type IdfCause, isDetail, isPreface, isPrefaceLine } from './idf-causes.js';
import { IdfDraft, type IdfKind, MOST_CORES } from './idf-draft.js';
import { isWatchdog, readWatchdogLine } from './idf-watchdog.js';
import type { Line } from './lines.js';
import { cellsOf } from './register-cells.js';

/** Finds the panic texts of ESP-IDF, its task watchdog's, and resets that no panic announced. */
export function readIdfCrashes(lines: readonly Line[]): FoundCrash[] {
  const reader = new IdfReader(lines);
  for (let index = 0; index < lines.length; index++) reader.read(index);
  return reader.end();
}

/** What any line of a crash has, so that the lines of a long log before it cost little. */
const SIGN =
  /panic|Guru|abort\(\)|assert|\*\*\*ERROR|Stack |should not return|Undefined|Mem alloc|KASAN|ESP_ERROR_CHECK|CORRUPT|terminate|watchdog|register dump|ISR context|Backtrace|rst:0x|Brownout|CPU lockup|ESP-ROM:|ets |: {0,2}0x/i;

/** A panic prints all of it at once: behind so many other lines the device runs again, or prints its core dump. */
const MOST_FOREIGN_LINES = 40;
/** Cells that a line without a header must have: a log line may show a register's value. */
const MIN_CELLS = 2;
/** Name and date of the ROM, before the reset. */
const MOST_LINES_OF_ROM = 4;

const HEADER = /(?:Core {0,4}(\d)? {1,4})?[Rr]egister dump:/;
const IN_INTERRUPT = /Core {1,4}(\d) was running in ISR context/;
const PRINTED_CORE = /^Print CPU (\d) /;
const END = /^(?:Rebooting|CPU halted|Entering gdb stub)/;
const AGAIN = /^Re-entered core dump!|^Panic handler entered multiple times/;
const ABRUPT_END = /^Backtrace ended abruptly: (maximum iterations reached)?/;
const DEBUGGED = /^Setting breakpoint at 0x([0-9a-fA-F]{8}) and returning/;
const ON_REQUEST = /^Please enable CONFIG_ESP_SYSTEM_USE_FRAME_POINTER/;
const BROWNOUT = /^(?:BOD: )?Brownout detector was triggered\.?$/;
const LOCKUP = /^(?:PRO|APP) CPU reset due to CPU lockup/;

class IdfReader {
  readonly #found: FoundCrash[] = [];
  #draft: IdfDraft | null = null;
  /** Whether a boot stands between the last found panic and here. */
  #hasBooted = false;
  /** The last line with which a ROM began. */
  #bootAt = Number.NEGATIVE_INFINITY;
  /** A cell whose value a mail program has moved to the next line. */
  #openCell = '';
  /** The core of the next backtrace, from "Print CPU 1 backtrace". */
  #nextCore: number | null = null;

  constructor(readonly lines: readonly Line[]) {}

  read(index: number): void {
    const line = this.lines[index];
    if (line === undefined) return;
    if (this.#draft !== null && index - this.#draft.last > MOST_FOREIGN_LINES) this.#close();
    if (this.#draft === null && !SIGN.test(line.body)) return;
    const isRead =
      this.#readBoot(line.body, index) ||
      this.#readCause(line.body, index) ||
      this.#readWatchdog(line, index) ||
      this.#readState(line.body, index) ||
      this.#readRest(line.body);
    if (isRead && this.#draft !== null) this.#draft.last = index;
  }

  end(): FoundCrash[] {
    this.#close();
    return this.#found;
  }

  #start(kind: IdfKind, index: number): IdfDraft {
    this.#close();
    this.#nextCore = null;
    this.#draft = new IdfDraft(kind, index);
    return this.#draft;
  }

  #close(): void {
    const found = this.#draft?.finish() ?? null;
    this.#draft = null;
    if (found === null) return;
    this.#found.push(found);
    this.#hasBooted = false;
  }

  /** The reset before a boot ends a panic; one that no panic announced is a crash of its own. */
  #readBoot(body: string, index: number): boolean {
    const reset = resetIn(body);
    if (reset !== null) {
      const draft = this.#draft;
      const isAnnounced = draft !== null && (draft.hasCause || draft.hasEvidence || draft.details !== null);
      if (draft?.kind === 'watchdog' && index - draft.last <= 3) draft.isAborting = true;
      if (isAnnounced && reset.crash !== null) draft.addDetail(reset.text);
      this.#close();
      this.#hasBooted = true;
      if (!isAnnounced && reset.crash !== null && body.startsWith(reset.text))
        this.#start('reset', this.#startOfBoot(index)).details = `${reset.crash}: ${reset.text}`;
      return true;
    }
    if (isBoot(body)) {
      // The ROM tells the reset in one of the next lines.
      if (this.#draft !== null) this.#draft.isEnded = true;
      this.#bootAt = index;
      this.#hasBooted = true;
      return false;
    }
    if (BROWNOUT.test(body)) {
      this.#start('reset', index).details = body.replace('BOD: ', '');
      return true;
    }
    const { address, isOfReset } = resetPlaceIn(body);
    if (!isOfReset || this.#draft?.kind !== 'reset') {
      if (!LOCKUP.test(body)) return false;
      this.#start('reset', index).details = 'Double exception: the CPU locked up and was reset';
    }
    const draft = this.#draft;
    draft?.addDetail(body);
    if (address !== null && (draft?.places.length ?? MOST_CALLS) < MOST_CALLS) draft?.places.push(address);
    return true;
  }

  #startOfBoot(index: number): number {
    return index - this.#bootAt <= MOST_LINES_OF_ROM ? this.#bootAt : index;
  }

  #readCause(body: string, index: number): boolean {
    const cause = exceptionIn(body) ?? abortIn(body);
    if (cause !== null) {
      this.#setCause(cause, body, index);
      return true;
    }
    if (isPreface(body)) {
      const isOpen = this.#draft !== null && !this.#draft.hasCause && !this.#draft.hasEvidence;
      const draft = isOpen && this.#draft !== null ? this.#draft : this.#start('panic', index);
      if (draft.prefaces.length < 16) draft.prefaces.push(clean(body));
      return true;
    }
    if (this.#draft === null) return false;
    if (isPrefaceLine(body) && this.#draft.prefaces.length > 0) {
      if (this.#draft.prefaces.length < 16) this.#draft.prefaces.push(clean(body));
      return true;
    }
    if (!isDetail(body)) return false;
    this.#draft.addDetail(body);
    return true;
  }

  #setCause(cause: IdfCause, body: string, index: number): void {
    const draft = this.#draft;
    if (draft === null || draft.kind === 'reset' || draft.isEnded)
      this.#start('panic', index).setCause(cause);
    else if (this.#continues(draft, cause)) draft.setCause(cause);
    else if (draft.goesOnNested) {
      draft.isNested = true;
      draft.addDetail(`The panic handler failed: ${body}`);
    } else this.#start('panic', index).setCause(cause);
  }

  /** Whether a cause belongs to the lines before it: what printed them calls abort(). */
  #continues(draft: IdfDraft, cause: IdfCause): boolean {
    if (draft.kind === 'watchdog') {
      if (!draft.isAborting || cause.exceptionName !== null) return false;
      draft.hasCause = true;
      return true;
    }
    if (draft.hasEvidence) return false;
    return !draft.hasCause || (cause.isGeneral && draft.abortedAt === null && draft.exceptionName === null);
  }

  #readWatchdog(line: Line, index: number): boolean {
    if (isWatchdog(line.body)) {
      const draft = this.#start('watchdog', index);
      draft.details = clean(line.body);
      draft.isAlone = true;
      return true;
    }
    const printed = PRINTED_CORE.exec(line.body);
    if (printed && this.#draft !== null) {
      this.#nextCore = Number(printed[1]);
      return true;
    }
    return this.#draft?.kind === 'watchdog' && readWatchdogLine(this.#draft, line);
  }

  /** Registers, backtraces and memory. */
  #readState(body: string, index: number): boolean {
    const header = HEADER.exec(body);
    if (header) {
      this.#openCore(header[1] === undefined ? null : Number(header[1]), index, true);
      return true;
    }
    if (this.#readCells(body, index)) return true;
    const backtrace = backtraceAt(this.lines, index);
    if (backtrace !== null && backtrace.entries.length > 0) {
      this.#takeBacktrace(backtrace, index);
      return true;
    }
    const draft = this.#draft;
    if (draft === null || draft.isNested) return false;
    if (backtrace !== null) return draft.takeAddresses(body);
    const inInterrupt = IN_INTERRUPT.exec(body);
    const last = draft.cores.at(-1);
    if (inInterrupt) {
      const core = draft.cores.find((one) => one.core.core === Number(inInterrupt[1])) ?? last;
      if (core !== undefined) core.core.inInterrupt = true;
      return true;
    }
    return last !== undefined && !draft.isEnded && last.core.registers.size > 0 && last.stack.read(body);
  }

  #readCells(body: string, index: number): boolean {
    const line = this.#openCell === '' ? body : `${this.#openCell} ${body}`;
    this.#openCell = /(?:^| )[A-Z][A-Z0-9/]{1,7} {0,8}:$/.exec(body)?.[0] ?? '';
    const found = cellsOf(line);
    if (found.length === 0 || (found.length < MIN_CELLS && !this.#isInRegisters())) return false;
    if (this.#draft?.isNested) return true;
    const isFirst = found.some(([name]) => name === 'pc' || name === 'mepc');
    const last = this.#draft?.cores.at(-1)?.core;
    const isNext = isFirst && last !== undefined && (last.registers.has('pc') || last.registers.has('mepc'));
    const core = isNext || !this.#isInRegisters() ? this.#openCore(null, index, isNext) : last;
    for (const [name, value] of found)
      if (core !== undefined && !core.registers.has(name)) core.registers.set(name, value);
    return true;
  }

  /** A core's header was printed, and its backtrace was not yet. */
  #isInRegisters(): boolean {
    const draft = this.#draft;
    const last = draft?.cores.at(-1);
    return draft !== null && !draft.isEnded && last !== undefined && last.core.calls.length === 0;
  }

  #openCore(number: number | null, index: number, isNew: boolean) {
    let draft = this.#draft;
    if (draft?.isNested) return newCore(number);
    const isOther = draft !== null && !draft.isEnded && draft.kind !== 'reset' && draft.canHave(number);
    if (draft === null || !isOther) draft = this.#start('panic', index);
    const last = draft.cores.at(-1)?.core;
    if (last !== undefined && !isNew) return last;
    if (last !== undefined && last.registers.size === 0 && last.calls.length === 0) {
      last.core ??= number;
      return last;
    }
    return draft.addCore(number).core;
  }

  #takeBacktrace(backtrace: BacktraceLines, index: number): void {
    let draft = this.#draft;
    if (draft?.isNested) return;
    const last = draft?.cores.at(-1);
    const isLast = draft !== null && !draft.isEnded && draft.kind !== 'reset';
    if (draft === null || !isLast) draft = this.#start('panic', index);
    else if (last !== undefined && last.core.calls.length > 0) {
      const isSecond = draft.cores.length < MOST_CORES && (draft.hasCause || draft.kind === 'watchdog');
      if (!isSecond || draft.appElfSha256 !== null) draft = this.#start('panic', index);
      else draft.addCore(null);
    }
    const entry = draft.cores.at(-1) ?? draft.addCore(null);
    entry.core.core ??= this.#nextCore;
    this.#nextCore = null;
    entry.core.calls = backtrace.entries.map(({ pc, sp }) => ({ pc, sp, kind: 'call' }));
    entry.core.callsEnd = backtrace.end;
    entry.isDamaged = backtrace.isDamaged;
    draft.isXtensa ||= backtrace.hasMark || backtrace.isGlued;
    // The one that aborts comes behind the other core's.
    if (draft.isAborting && draft.cores.length > 1) draft.cores.unshift(...draft.cores.splice(-1));
  }

  #readRest(body: string): boolean {
    const draft = this.#draft;
    if (draft === null) return false;
    const last = draft.cores.at(-1);
    const abrupt = ABRUPT_END.exec(body);
    const debugged = DEBUGGED.exec(body);
    if (body.startsWith('ELF file SHA256:')) draft.appElfSha256 ??= shaIn(body);
    else if (abrupt && last !== undefined)
      last.core.callsEnd = abrupt[1] === undefined ? 'aborted' : 'continues';
    else if (debugged) {
      draft.addDetail(body);
      draft.isDebugged = true;
      draft.places.push(Number.parseInt(debugged[1] ?? '', 16));
    } else if (AGAIN.test(body)) this.#endAgain(draft, body);
    else if (ON_REQUEST.test(body)) draft.isPrintedOnRequest = !draft.hasCause;
    else if (END.test(body)) draft.isEnded = true;
    else return body.startsWith('Stack memory');
    return true;
  }

  /** A panic while the core dump of the one before was written: that one is the crash. */
  #endAgain(draft: IdfDraft, body: string): void {
    const before = this.#found.at(-1);
    if (before !== undefined && !this.#hasBooted && draft.hasCause && !draft.isNested) {
      const cause = draft.exceptionName ?? draft.details ?? 'another exception';
      const more = [...before.exceptionDetails, clean(`The panic handler failed: ${cause}`), clean(body)];
      this.#found[this.#found.length - 1] = { ...before, exceptionDetails: more, last: draft.last };
      this.#draft = null;
    } else draft.addDetail(body);
  }
}
