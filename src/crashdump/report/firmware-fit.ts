import type { Call, Link } from '../arch/calls.js';
import { isRomAddress } from '../arch/chips.js';
import type { Dump, DumpTask } from '../core/core.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import type { ReadMemory } from '../read-memory.js';

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
  /** Whether one of them is of the crashed task. */
  includesCrash: boolean;
}

const MAX_LINKS = 4096;
const ENOUGH = 3;

/** Whether a build that is not the one of the dump may name its functions all the same: it has the same code. */
export function hasSameCode({ tried, fitting, exact, includesCrash }: FirmwareFit): boolean {
  return fitting === tried && exact >= ENOUGH && includesCrash;
}

/** The same where the dump does not say which build it ran, and somebody named this one. */
export function isNotRefuted({ tried, fitting, exact }: FirmwareFit): boolean {
  return fitting === tried && tried >= ENOUGH && exact > 0;
}

/** @returns null for a firmware without code, which cannot be compared */
export function fitOf(dump: Dump, firmware: FirmwareImage): FirmwareFit | null {
  if (!firmware.sections.some(({ flags }) => flags.exec)) return null;
  const code = codeOf(firmware);
  const fit: FirmwareFit = { tried: 0, fitting: 0, exact: 0, includesCrash: false };
  const count = (verdict: Verdict) => {
    fit.tried++;
    if (verdict !== 'wrong') fit.fitting++;
    if (verdict === 'exact') fit.exact++;
  };
  for (const [index, task] of dump.tasks.entries()) {
    if (task.stackIsCorrupted) continue;
    for (const verdict of verdictsOf(task, index === 0, dump, firmware, code)) {
      count(verdict);
      fit.includesCrash ||= index === 0;
    }
    if (fit.tried > MAX_LINKS) break;
  }
  for (const link of linksInText(dump, firmware)) count(judge(link, dump, firmware, code));
  return fit;
}

type Verdict = 'exact' | 'possible' | 'wrong';

function verdictsOf(
  task: DumpTask,
  isCrashed: boolean,
  dump: Dump,
  firmware: FirmwareImage,
  code: ReadMemory,
): Verdict[] {
  const { architecture, memory } = dump;
  const { pc } = task.registers;
  // The crash may have been a jump to anywhere; another task was switched off in code.
  if (!isCrashed && !isInRom(dump, pc) && code(pc, 2) === null) return ['wrong'];
  const verdicts: Verdict[] = [];
  for (const link of architecture.callChain(task.registers, memory.read, firmware)) {
    const { returnAddress } = link;
    const isInCode = code(returnAddress - 1, 1) !== null;
    // A task returns to prvTaskExitError, or to nothing, without a call.
    if (isEmpty(returnAddress) || isTaskExit(returnAddress, firmware)) break;
    // A broken stack has any word in the place of a return address.
    if (!isInCode) {
      if (!isCrashed && !isInRom(dump, returnAddress)) verdicts.push('wrong');
      break;
    }
    const verdict = judge(link, dump, firmware, code);
    // Behind an interrupt's frames comes the task where it was interrupted.
    if (verdict === 'wrong' && isCrashed && dump.inInterrupt) break;
    verdicts.push(verdict);
    if (verdict === 'wrong') break;
  }
  return verdicts;
}

function judge(link: Link, dump: Dump, firmware: FirmwareImage, code: ReadMemory): Verdict {
  const call = dump.architecture.callBefore(link.returnAddress, code);
  if (call === null || !isSameSize(call, link)) return 'wrong';
  if (link.pc === null || isInRom(dump, link.pc) || code(link.pc, 1) === null) return 'possible';
  if (call.target === null) return 'possible';
  const running = firmware.symbolAt(link.pc)?.address ?? null;
  if (running === null) return 'possible';
  if (call.target === running) return 'exact';
  return mayReach(call.target, running, dump, firmware, code) ? 'possible' : 'wrong';
}

function isSameSize(call: Call, link: Link): boolean {
  return link.size === null || call.size === undefined || call.size === link.size;
}

const MAX_FUNCTIONS = 32;
const MAX_FUNCTION_SIZE = 0x10000;

/** Whether jumps lead from one function into the other: tail calls, and parts that the compiler moved away. */
function mayReach(
  start: number,
  wanted: number,
  dump: Dump,
  firmware: FirmwareImage,
  code: ReadMemory,
): boolean {
  const open = [start];
  const seen = new Set<number>();
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    const symbol = firmware.symbolAt(address);
    // Not a function, or of unknown length.
    if (symbol === null || symbol.size === 0 || symbol.size > MAX_FUNCTION_SIZE) {
      if (code(address, 2) === null) continue;
      return true;
    }
    if (symbol.address === wanted) return true;
    if (seen.has(symbol.address)) continue;
    if (seen.size >= MAX_FUNCTIONS) return true;
    seen.add(symbol.address);
    const { targets, isKnown } = dump.architecture.jumpsOf(symbol.address, symbol.size, code);
    if (!isKnown) return true;
    open.push(
      ...targets.filter((target) => target < symbol.address || target >= symbol.address + symbol.size),
    );
  }
  return false;
}

/** `abort() was called at PC 0x…` is an address in the call instruction, three bytes before the return address. */
function linksInText({ panicDetails }: Dump, firmware: FirmwareImage): Link[] {
  const pc = /^abort\(\) was called at PC (0x[0-9a-f]{8})/.exec(panicDetails ?? '')?.[1];
  const abort = firmware.symbol('abort');
  return pc === undefined || abort === null
    ? []
    : [{ pc: abort.address, returnAddress: Number(pc) + 3, size: null }];
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
