import type { PrintedCall } from './crash-text.js';
import { type CoreDraft, clean, type FoundCrash, MOST_DETAILS, newCore, noCrash } from './found-crash.js';
import { endsProgram, type IdfCause, taskIn } from './idf-causes.js';
import { architectureOf, missingRegisters } from './register-cells.js';
import { StackLines } from './stack-lines.js';

/** Of the processor that fails, and of the other one. */
export const MOST_CORES = 2;
const LONGEST_BACKTRACE = 4096;
/** Fewer are those of a cut text, of which nothing is told by what follows. */
const MIN_REGISTERS = 8;

export type IdfKind = 'panic' | 'watchdog' | 'reset';

/** A panic text of ESP-IDF while its lines are read. */
export class IdfDraft {
  last: number;
  hasCause = false;
  /** The cause stands alone in its line, so that nothing else has to prove that this is a crash. */
  isAlone = false;
  details: string | null = null;
  exceptionName: string | null = null;
  exceptionDetails: string[] = [];
  prefaces: string[] = [];
  watchdogTasks: string[] = [];
  /** By core, from "CPU 0: IDLE0" of the task watchdog. */
  runningTasks = new Map<number, string>();
  core: number | null = null;
  task: string | null = null;
  abortedAt: number | null = null;
  places: number[] = [];
  cores: { core: CoreDraft; stack: StackLines; isDamaged: boolean }[] = [];
  appElfSha256: string | null = null;
  isAborting = false;
  /** The device said that it restarts. */
  isEnded = false;
  /** A second panic goes on inside of this one. */
  isNested = false;
  isDebugged = false;
  /** The lines are of a function that prints registers and goes on. */
  isPrintedOnRequest = false;
  /** An address of Xtensa's call instructions: its mark, or two entries without a blank. */
  isXtensa = false;

  constructor(
    readonly kind: IdfKind,
    readonly first: number,
  ) {
    this.last = first;
  }

  get hasEvidence(): boolean {
    return this.cores.some(({ core }) => core.registers.size > 0 || core.calls.length > 0);
  }

  /** Whether a panic has printed registers and goes on with another exception instead of the rest. */
  get goesOnNested(): boolean {
    const last = this.cores.at(-1);
    if (this.isNested) return true;
    const hasRegisters = last !== undefined && last.core.registers.size >= MIN_REGISTERS;
    if (!this.hasCause || !hasRegisters || this.appElfSha256 !== null) return false;
    const isCutStack = last.stack.size > 0 && last.stack.size % PRINTED_STACK !== 0;
    return isCutStack || (last.core.calls.length === 0 && last.stack.size === 0);
  }

  /** Whether the registers of this core can be of the panic that is read: each core is printed once. */
  canHave(number: number | null): boolean {
    const printed = this.cores.filter(({ core }) => core.registers.size > 0);
    if (printed.length === 0) return this.cores.every(({ core }) => core.calls.length === 0);
    return (
      printed.length < MOST_CORES && printed.every(({ core }) => number === null || core.core !== number)
    );
  }

  /** A backtrace from which somebody has removed the stack pointers. */
  takeAddresses(line: string): boolean {
    const addresses = [...line.slice(0, LONGEST_BACKTRACE).matchAll(/0x([0-9a-fA-F]{8})(?![0-9a-zA-Z:])/g)];
    const { core } = this.cores.at(-1) ?? this.addCore(null);
    if (!this.hasCause || this.isEnded || core.calls.length > 0 || addresses.length === 0) return false;
    core.calls = addresses.map(([, hex = '']) => ({ pc: Number.parseInt(hex, 16), sp: null, kind: 'call' }));
    return true;
  }

  setCause(cause: IdfCause): void {
    this.hasCause = true;
    this.isAlone ||= cause.isAlone;
    this.exceptionName ??= cause.exceptionName;
    this.core ??= cause.core;
    this.task ??= cause.task;
    this.abortedAt ??= cause.abortedAt;
    if (cause.details === null) return;
    // Who prints a text of its own calls abort() then, whose text says less.
    if (this.details === null) this.details = clean(cause.details);
    else this.addDetail(cause.details);
  }

  addDetail(line: string): void {
    this.task ??= taskIn(line);
    if (this.exceptionDetails.length < MOST_DETAILS) this.exceptionDetails.push(clean(line));
  }

  addCore(core: number | null): { core: CoreDraft; stack: StackLines; isDamaged: boolean } {
    const added = { core: newCore(core), stack: new StackLines(), isDamaged: false };
    this.cores.push(added);
    return added;
  }

  /** Null when it is no crash after all. */
  finish(): FoundCrash | null {
    if (this.kind === 'reset') return this.#finishReset();
    if (!this.hasCause && this.kind === 'panic') {
      const [fatal] = this.prefaces.filter(endsProgram);
      if (!this.hasEvidence && fatal === undefined) return null;
      if (fatal !== undefined) this.details = fatal;
    } else if (!this.isAlone && !this.hasEvidence) return null;
    if (this.cores.length === 0) this.addCore(this.core);
    const architecture = this.#architecture();
    const cores = this.#finishCores(architecture);
    const isList =
      this.kind === 'panic' && !this.hasCause && cores.every(({ registers }) => registers.size === 0);
    return {
      ...noCrash(
        this.kind === 'watchdog'
          ? 'task watchdog'
          : isList && this.details === null
            ? 'addresses'
            : 'ESP-IDF panic',
        this.first,
      ),
      architecture,
      details: this.details,
      exceptionName: this.exceptionName === null ? null : clean(this.exceptionName),
      exceptionDetails: [
        ...this.prefaces.filter((line) => line !== this.details),
        ...this.exceptionDetails,
      ].slice(0, MOST_DETAILS),
      watchdogTasks: this.watchdogTasks,
      cores,
      appElfSha256: this.appElfSha256,
      isCrash: !this.isPrintedOnRequest && (this.kind !== 'watchdog' || this.isAborting),
      last: this.last,
      missing: this.#missing(architecture, isList),
    };
  }

  #finishReset(): FoundCrash | null {
    if (this.details === null) return null;
    const core = newCore();
    core.calls = this.places.map((pc): PrintedCall => ({ pc, sp: null, kind: 'fault' }));
    return {
      ...noCrash('ESP-IDF reset', this.first),
      details: this.details,
      exceptionDetails: this.exceptionDetails,
      cores: [core],
      last: this.last,
    };
  }

  #architecture(): string | null {
    for (const { core } of this.cores) {
      const architecture = architectureOf(core.registers);
      if (architecture !== null) return architecture;
    }
    if (this.isXtensa) return 'xtensa';
    const pointers = this.cores.flatMap(({ core }) => core.calls.map(({ sp }) => sp ?? 0));
    // Where only one of the two has its stacks (soc.h): the ESP32 and the ESP32-S2; the chips since the ESP32-C6.
    if (pointers.some((sp) => sp >= 0x3ffa_e000 && sp < 0x4000_0000)) return 'xtensa';
    const isUnified = (sp: number) =>
      (sp >= 0x4080_0000 && sp < 0x4088_0000) || (sp >= 0x4ff0_0000 && sp < 0x4ffc_0000);
    return pointers.some(isUnified) ? 'riscv' : null;
  }

  #finishCores(architecture: string | null): CoreDraft[] {
    const cores = this.cores.map(({ core, stack }) => ({ ...core, stack: stack.pieces }));
    const [failing] = cores;
    if (failing) {
      failing.core ??= this.core;
      failing.task ??= this.task;
      if (!this.hasEvidence && this.abortedAt !== null)
        failing.calls = [{ pc: this.abortedAt, sp: null, kind: 'call' }];
      if (!this.hasEvidence)
        for (const pc of this.places) failing.calls.push({ pc, sp: null, kind: 'fault' });
    }
    for (const core of cores) {
      if (core.core !== null) core.task ??= this.runningTasks.get(core.core) ?? null;
      if (architecture !== 'riscv') continue;
      core.calls = core.calls.map((call, index) => ({ ...call, kind: index === 0 ? 'fault' : 'return' }));
    }
    return cores;
  }

  #missing(architecture: string | null, isList: boolean): string[] {
    const missing: string[] = [];
    if (!this.hasCause && !isList && this.details === null && this.kind === 'panic')
      missing.push('the beginning, with the reason');
    if (this.hasCause && !this.hasEvidence && !this.isDebugged) missing.push('registers and backtrace');
    for (const { core, stack, isDamaged } of this.cores) {
      const registers = missingRegisters(core.registers);
      if (core.registers.size > 0 && registers.length > 0) missing.push(`the registers ${list(registers)}`);
      const hasNothing = core.calls.length === 0 && core.registers.size > 0;
      if (hasNothing && architecture === 'riscv' && stack.size === 0 && !this.isPrintedOnRequest)
        missing.push('the stack memory');
      if (hasNothing && architecture !== 'riscv') missing.push('the backtrace');
      if (stack.isDamaged || (stack.size > 0 && stack.size % PRINTED_STACK !== 0))
        missing.push('a part of the stack memory');
      if (core.callsEnd === 'cut') missing.push('the end of the backtrace');
      else if (isDamaged) missing.push('a part of the backtrace');
    }
    return missing;
  }
}

/** ESP-IDF prints a kilobyte. */
const PRINTED_STACK = 1024;
const MOST_NAMES = 8;

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => name.toUpperCase());
  const others = names.length - shown.length;
  return others > 0 ? `${shown.join(', ')} and ${others} more` : shown.join(', ');
}
