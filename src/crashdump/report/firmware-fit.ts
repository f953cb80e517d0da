import type { Call, Link } from '../arch/calls.js';
import { isRomAddress } from '../arch/chips.js';
import type { RegisterSet } from '../arch/registers.js';
import type { Dump } from '../core/core.js';
import type { FirmwareSymbol } from '../elf/symbols.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import type { ReadMemory } from '../read-memory.js';
import { callerOfAbort } from './panic-text.js';
import { linksOf } from './printed-chain.js';

/**
 * How well a build explains a dump: a return address on a stack stands behind a call, and the call leads to the function
 * that was running. In another build the same addresses lie anywhere.
 */
export interface FirmwareFit {
  /** Return addresses that were compared. */
  tried: number;
  /** Of them, those behind a call that may have led there. */
  fitting: number;
  /** Of them, those behind a call of exactly the function that was running: hardly a coincidence. */
  exact: number;
  /** Whether the names of the crashed task are checked too: by a return address, or because it has none. */
  coversCrash: boolean;
  /** Where the calls of the crashed task do not fit; null when they do. Not counted above: its stack may be damaged. */
  crashDoubt: CrashDoubt | null;
}

export interface CrashDoubt {
  returnAddress: number;
  /** How many return addresses fit before it. */
  fitting: number;
}

const MAX_LINKS = 4096;
const ENOUGH = 3;

/** Whether a build that is not the one of the dump may name its functions all the same: it has the same code. */
export function hasSameCode({ tried, fitting, exact, coversCrash, crashDoubt }: FirmwareFit): boolean {
  return fitting === tried && exact >= ENOUGH && coversCrash && crashDoubt === null;
}

/** The same where the dump does not say which build it ran, and somebody named this one. */
export function isNotRefuted({ tried, fitting, exact, coversCrash, crashDoubt }: FirmwareFit): boolean {
  if (crashDoubt !== null || !coversCrash || fitting < tried || exact === 0) return false;
  // Even one call of exactly the function that was running is no coincidence.
  return tried >= ENOUGH || exact === tried;
}

/** The same for a text, which may have nothing to compare: somebody chose the build, and nothing speaks against it. */
export function isNotRefutedByText({ tried, fitting, crashDoubt }: FirmwareFit): boolean {
  return crashDoubt === null && fitting === tried;
}

/**
 * Where the dump does not name its build either, and one return address of the crashed task does not fit: whether all the
 * others, those of the other tasks too, show that the stack is damaged there.
 */
export function isProvenByOthers({ tried, fitting, exact, crashDoubt }: FirmwareFit): boolean {
  return crashDoubt !== null && fitting === tried && tried >= ENOUGH && exact > 0;
}

/** @returns null for a firmware without code, which cannot be compared */
export function fitOf(dump: Dump, firmware: FirmwareImage): FirmwareFit | null {
  if (!firmware.sections.some(({ flags }) => flags.exec)) return null;
  const code = codeOf(firmware);
  const sources: Sources = { dump, firmware, code, reaches: createReaches(dump, firmware, code) };
  const fit: FirmwareFit = { tried: 0, fitting: 0, exact: 0, coversCrash: false, crashDoubt: null };
  const count = (verdict: Verdict) => {
    fit.tried++;
    if (verdict !== 'wrong') fit.fitting++;
    if (verdict === 'exact') fit.exact++;
  };
  for (const [index, task] of dump.tasks.entries()) {
    if (task.stackIsCorrupted) continue;
    const isCrashed = index === 0;
    const links =
      task.printed === undefined
        ? null
        : linksOf({ ...task, printed: task.printed }, dump.architecture, dump.memory.read);
    for (const registers of task.interrupted ? [task.registers, task.interrupted] : [task.registers]) {
      const isHandler = dump.inInterrupt === true && registers === task.registers;
      const { verdicts, isComplete, doubt } = compareChain(
        registers,
        { isCrashed, isHandler, links },
        sources,
      );
      verdicts.forEach(count);
      if (doubt !== null) fit.crashDoubt ??= { returnAddress: doubt, fitting: verdicts.length };
      if (isCrashed) fit.coversCrash ||= verdicts.length > 0 || isComplete;
    }
    if (fit.tried > MAX_LINKS) break;
  }
  for (const link of linksInText(dump, firmware)) count(judge(link, sources));
  return fit;
}

interface Sources {
  dump: Dump;
  firmware: FirmwareImage;
  /** The build's code. */
  code: ReadMemory;
  reaches: Reaches;
}

type Verdict = 'exact' | 'possible' | 'wrong';

interface ComparedChain {
  verdicts: Verdict[];
  isComplete: boolean;
  /** A return address of the crashed task that does not fit. */
  doubt: number | null;
}

function compareChain(
  registers: RegisterSet,
  { isCrashed, isHandler, links }: { isCrashed: boolean; isHandler: boolean; links: readonly Link[] | null },
  sources: Sources,
): ComparedChain {
  const { dump, firmware, code } = sources;
  const { architecture, memory } = dump;
  // The crash may have been a jump to anywhere; another task was switched off in code.
  const isAnywhere =
    !isInRom(dump, registers.pc) &&
    code(registers.pc, 2) === null &&
    !(registers.missing?.has('pc') === true && registers.pc === 0);
  if (isAnywhere && !isCrashed) return { verdicts: ['wrong'], isComplete: true, doubt: null };
  const verdicts: Verdict[] = [];
  for (const link of links ?? architecture.callChain(registers, memory.read, firmware)) {
    const { returnAddress } = link;
    // A task returns to prvTaskExitError, or to nothing, without a call.
    if (isEmpty(returnAddress) || isTaskExit(returnAddress, firmware))
      return { verdicts, isComplete: true, doubt: null };
    // A broken stack has any word in the place of a return address.
    if (code(returnAddress - 1, 1) === null) {
      if (isInRom(dump, returnAddress)) break;
      if (isCrashed && !isAnywhere && verdicts.length === 0)
        return { verdicts, isComplete: false, doubt: returnAddress };
      if (!isCrashed) verdicts.push('wrong');
      break;
    }
    const verdict = judge(link, sources);
    // Behind an interrupt's frames comes the task where it was interrupted.
    if (verdict === 'wrong' && isCrashed && isHandler) break;
    if (verdict === 'wrong' && isCrashed) return { verdicts, isComplete: true, doubt: returnAddress };
    verdicts.push(verdict);
    if (verdict === 'wrong') break;
  }
  return { verdicts, isComplete: isAnywhere, doubt: null };
}

function judge(link: Link, { dump, firmware, code, reaches }: Sources): Verdict {
  const call = dump.architecture.callBefore(link.returnAddress, code);
  if (call === null || !isSameSize(call, link)) return 'wrong';
  if (link.pc === null || isInRom(dump, link.pc) || code(link.pc, 1) === null) return 'possible';
  if (call.target === null) return 'possible';
  const running = firmware.symbolAt(link.pc)?.address ?? null;
  if (running === null) return 'possible';
  if (call.target === running) return 'exact';
  return link.mayBeStale || reaches(call.target, running) ? 'possible' : 'wrong';
}

function isSameSize(call: Call, link: Link): boolean {
  return link.size === null || call.size === undefined || call.size === link.size;
}

/** For all comparisons of a build together, so that a hostile one cannot keep the reader busy. */
const MAX_JUMPS = 20_000;
const MAX_CODE_BYTES = 1024 * 1024;
const MAX_FUNCTIONS = 32;

type Reaches = (start: number, wanted: number) => boolean;

/**
 * Whether jumps lead from one function into another: tail calls, and parts that the compiler moved away. True also where
 * that cannot be excluded.
 */
function createReaches(dump: Dump, firmware: FirmwareImage, code: ReadMemory): Reaches {
  const outside = new Map<number, number[] | null>();
  let jumpsLeft = MAX_JUMPS;
  let bytesLeft = MAX_CODE_BYTES;

  /** Where jumps leave the function to; null when they may lead anywhere. */
  const exitsOf = ({ address, size }: FirmwareSymbol): number[] | null => {
    let exits = outside.get(address);
    if (exits === undefined) {
      bytesLeft -= size;
      if (bytesLeft < 0) return null;
      const { targets, isKnown } = dump.architecture.jumpsOf(address, size, code);
      exits = isKnown ? targets.filter((target) => target < address || target >= address + size) : null;
      outside.set(address, exits);
    }
    return exits;
  };

  return (start, wanted) => {
    const open = [start];
    const seen = new Set<number>();
    for (let address = open.pop(); address !== undefined; address = open.pop()) {
      if (--jumpsLeft < 0) return true;
      if (code(address, 2) === null) continue;
      const symbol = firmware.symbolAt(address);
      if (symbol === null || symbol.size === 0) return true;
      if (symbol.address === wanted) return true;
      if (seen.has(symbol.address)) continue;
      if (seen.size >= MAX_FUNCTIONS) return true;
      seen.add(symbol.address);
      const exits = exitsOf(symbol);
      if (exits === null) return true;
      open.push(...exits.slice(0, jumpsLeft));
    }
    return false;
  };
}

/** The address in the text of `abort()` is three bytes before the return address. */
function linksInText({ panicDetails }: Dump, firmware: FirmwareImage): Link[] {
  const pc = callerOfAbort(panicDetails ?? '');
  const abort = firmware.symbol('abort');
  return pc === null || abort === null ? [] : [{ pc: abort.address, returnAddress: pc + 3, size: null }];
}

/** Only bytes of sections with code; those of data would be read as instructions by chance. */
function codeOf(firmware: FirmwareImage): ReadMemory {
  const sections = firmware.sections.filter(({ flags }) => flags.alloc && flags.exec);
  return (address, length) =>
    sections.some(
      (section) => address >= section.address && address + length <= section.address + section.size,
    )
      ? firmware.readAt(address, length)
      : null;
}

/** On Xtensa an empty return address has the top bits of code. */
function isEmpty(address: number): boolean {
  return (address & 0x3fffffff) === 0;
}

function isTaskExit(address: number, firmware: FirmwareImage): boolean {
  const symbol = firmware.symbolAt(address);
  return symbol?.address === address && /^(prvTaskExitError|vPortTaskWrapper)$/.test(symbol.name);
}

function isInRom({ chip }: Dump, address: number): boolean {
  return isRomAddress(chip, address);
}
