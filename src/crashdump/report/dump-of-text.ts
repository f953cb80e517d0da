import type { Architecture } from '../arch/architecture.js';
import { ARCHITECTURES, FIRST_ARCHITECTURE } from '../arch/architectures.js';
import { type Chip, chipByName } from '../arch/chips.js';
import type { PrintedRegisters } from '../arch/printed-panic.js';
import { type ExceptionRegisters, NO_EXCEPTION, type RegisterSet } from '../arch/registers.js';
import type { Dump, DumpTask } from '../core/core.js';
import { DumpMemory } from '../core/memory.js';
import type { CrashKind } from '../crash-kind.js';
import type { CrashText, PrintedCall, PrintedCore } from '../crash-text/crash-text.js';
import { kindOfCall } from '../crash-text/summary.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import type { ReportWarning } from '../warning.js';
import { kindOfText } from './panic-text.js';

/**
 * A crash that was printed in the form of a dump, so that everything after this is the same for both: a task for each
 * printed core, and as memory the printed stack.
 * @param firmware where nothing else tells architecture and chip, this does
 * @param chipHint the chip as the caller knows it
 */
export function dumpOfText(text: CrashText, firmware: FirmwareImage | null, chipHint: string | null): Dump {
  const warnings = [...text.warnings];
  const named = settleChip(text, chipHint, warnings);
  const architecture =
    architectureNamed(text.architecture) ??
    named?.architecture ??
    architectureNamed(firmware?.machine ?? null) ??
    FIRST_ARCHITECTURE;
  const chip = named ?? chipOfFirmware(firmware);
  const cores = text.cores.slice(0, MAX_CORES).map((core) => withKinds(core, text, architecture));
  const [failing] = cores;
  return {
    format: text.shape,
    checksum: 'absent',
    transport: null,
    architecture,
    chip: chip?.architecture === architecture ? chip : null,
    chipRevision: null,
    memory: new DumpMemory(
      cores.flatMap(({ stack }) => stack.map((piece) => ({ ...piece, executable: false }))),
    ),
    tasks: cores.map((core) => taskOf(core, text, architecture)),
    crashedTcb: null,
    crashedTask: 'known',
    lacksExtraInfo: false,
    inInterrupt: failing?.inInterrupt ?? null,
    ...causeOf(text, failing?.registers ?? new Map(), architecture),
    appElfSha256: text.appElfSha256,
    warnings,
    text,
  };
}

/** ESP32 chips have two. */
const MAX_CORES = 2;

function architectureNamed(name: string | null): Architecture | null {
  return ARCHITECTURES.find((architecture) => architecture.name === name) ?? null;
}

/** Texts do not name it; the firmware is mostly for one. */
function chipOfFirmware(firmware: FirmwareImage | null): Chip | null {
  const [only, other] = firmware?.chips ?? [];
  return only === undefined || other !== undefined ? null : chipByName(only);
}

function settleChip(text: CrashText, hint: string | null, warnings: ReportWarning[]): Chip | null {
  const named = text.chip === null ? null : chipByName(text.chip);
  const hinted = hint === null ? null : chipByName(hint);
  const fits = (chip: Chip | null) =>
    chip !== null && (text.architecture === null || chip.architecture.name === text.architecture);
  const chip = [named, hinted].find(fits) ?? null;
  for (const [candidate, who] of [
    [named, `The text says ${named?.name}`],
    [hinted, `The sender says ${hinted?.name}`],
  ] as const) {
    if (candidate === null || candidate === chip) continue;
    const rest = fits(candidate)
      ? `the text ${chip?.name}`
      : `what was printed is of a chip with ${text.architecture === 'xtensa' ? 'an Xtensa' : 'a RISC-V'} processor`;
    warnings.push({ code: 'CHIPS_DIFFER', message: `${who}, ${rest}.` });
  }
  return chip;
}

/** What the addresses of a backtrace are, where only the firmware or the sender tells the architecture. */
function withKinds(core: PrintedCore, text: CrashText, { printed }: Architecture): PrintedCore {
  if (text.architecture !== null) return core;
  const isOfBacktrace = ({ kind, sp }: PrintedCall) =>
    text.shape === 'summary' ? kind === 'bare' : kind === 'call' && sp !== null;
  return {
    ...core,
    calls: core.calls.map((call, index) =>
      isOfBacktrace(call) ? { ...call, kind: kindOfCall(index, printed.printsReturnAddresses) } : call,
    ),
  };
}

function taskOf(core: PrintedCore, text: CrashText, architecture: Architecture): DumpTask {
  return {
    tcbAddress: 0,
    stack: null,
    registers: registersOf(core, text, architecture),
    stackIsCorrupted: false,
    interrupted: null,
    printed: core,
  };
}

/** Without a printed pc it is that of the first call; what a backtrace lists in front of its calls need not be one. */
function registersOf(core: PrintedCore, { shape }: CrashText, { printed }: Architecture): RegisterSet {
  const registers = printed.readRegisters(named(core.registers, printed.pc));
  const [first] = core.calls;
  if (registers.missing?.has('pc') !== true) {
    // ESPHome prints it with the bits of a register window.
    const isPlain = shape !== 'ESPHome crash report';
    return isPlain ? registers : { ...registers, pc: printed.plainAddress(registers.pc) };
  }
  if (first === undefined || first.kind === 'scan') return registers;
  const pc = first.kind === 'call' ? printed.returnAddressAfter(printed.plainAddress(first.pc)) : first.pc;
  return { ...registers, pc };
}

/** Summaries and others name it by one name for both architectures. */
function named(registers: PrintedRegisters, pc: string): PrintedRegisters {
  const value = registers.get(pc) ?? registers.get('pc') ?? registers.get('mepc');
  return value === undefined || registers.has(pc) ? registers : new Map([...registers, [pc, value]]);
}

/** The cause as a dump has it, and the text that takes precedence over it. */
function causeOf(
  text: CrashText,
  registers: PrintedRegisters,
  { printed }: Architecture,
): { exception: ExceptionRegisters; panicDetails: string | null } {
  const name = plainName(text.exceptionName ?? '');
  const number = text.cause ?? registers.get(printed.cause) ?? null;
  const byName = printed.causes.get(name.toLowerCase()) ?? null;
  const exception: ExceptionRegisters = {
    ...NO_EXCEPTION,
    cause: byName ?? (isPseudoReason(name) ? null : number),
    address: text.faultAddress ?? registers.get(printed.faultAddress) ?? addressIn(text),
    epc: printed.readLevels(registers),
  };
  // A watchpoint at the end of a stack names the task, and is more than the exception that it raises.
  const canary = text.exceptionDetails.find((line) => /canary watchpoint triggered/.test(line)) ?? null;
  const unknown =
    byName === null && (exception.cause === null || isTelling(name)) && name !== '' ? name : null;
  const details = text.details ?? canary?.trim() ?? unknown;
  return { exception, panicDetails: details === null ? null : withTasks(details, text.watchdogTasks) };
}

/** Without what stands around the name: "Fault - LoadProhibited", "LoadProhibited at 0x00000010". */
function plainName(name: string): string {
  return name
    .replace(/^(?:Fault|Debug exception) - /, '')
    .replace(/ at (?:PC )?0x[0-9a-f]{1,8}$/i, '')
    .trim();
}

/** Whether a name that is no exception says more than the number beside it. */
function isTelling(name: string): boolean {
  return name !== '' && !/^unknown\b/i.test(name) && kindOfText(name) !== 'OTHER';
}

/** Of the panic handler, which then counts in the register of causes by itself. */
function isPseudoReason(name: string): boolean {
  return PSEUDO_KINDS.has(kindOfText(name));
}

const PSEUDO_KINDS: ReadonlySet<CrashKind> = new Set([
  ...(['TASK_WATCHDOG', 'INTERRUPT_WATCHDOG', 'CACHE_DISABLED', 'DOUBLE_EXCEPTION', 'BREAKPOINT'] as const),
  ...(['COPROCESSOR', 'MEMORY_PROTECTION'] as const),
]);

/** "LoadProhibited at 0x00000010": summaries may have the sentence of a report. */
function addressIn({ exceptionName }: CrashText): number | null {
  const found = / at 0x([0-9a-f]{1,8})$/i.exec(exceptionName ?? '')?.[1];
  return found === undefined ? null : Number.parseInt(found, 16);
}

/** As the device's own text of a task watchdog: a line for each task. */
function withTasks(details: string, tasks: readonly string[]): string {
  return details.includes('\n') ? details : [details, ...tasks.map((task) => `- ${task}`)].join('\n');
}
