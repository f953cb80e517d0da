import { hex32 } from '../../hex.js';
import type { CodeImage } from '../../unwind/frame.js';
import type { CodeReader } from './code.js';

/** The function that starts every task in ESP-IDF 5, and the one to which tasks return in older releases. */
export const TASK_ENTRY = 'vPortTaskWrapper';
export const TASK_EXIT = 'prvTaskExitError';

/** Functions that nobody calls: a task's wrapper, what the bootloader starts, what the exception table jumps to. */
const OUTERMOST = new Set([
  TASK_ENTRY,
  'call_start_cpu0',
  'call_start_cpu1',
  '_start',
  '_interrupt_handler',
  '_tee_interrupt_handler',
  '_panic_handler',
]);

/** Whether no function called this one: by its name. */
export function isOutermost(name: string | null): boolean {
  return name !== null && OUTERMOST.has(name);
}

/** The sentence for a return address whose place the dump does not have. */
export function notInMemory(address: number): string {
  return `Cannot access memory at address ${hex32(address)}`;
}

/** Why a word is not the address that a call left. */
export function wrongReturnAddress(address: number, code: CodeReader): string {
  const where = hex32(address);
  return code.hasCode(address)
    ? `the return address ${where} does not follow a call of this function (corrupt stack?)`
    : `the return address ${where} is not in code (corrupt stack?)`;
}

/** @param pc an address inside the function whose caller was not found */
export function withoutCallFrames(
  pc: number,
  images: readonly CodeImage[],
  code: CodeReader,
  isRom: boolean,
): string {
  if (images.length === 0) return 'without a firmware ELF the callers cannot be found';
  const name = code.nameAt(pc);
  const place = `${hex32(pc)}${name === null ? '' : ` in ${name}`}`;
  if (!code.hasCode(pc))
    return isRom
      ? `no call-frame information for the ROM function at ${place}`
      : `no code is at ${place}, and what led there is not known`;
  const lacks = images.flatMap((image) => image.lacks()).map(({ code: lack }) => LACKS[lack]);
  const why = lacks.find((lack) => lack !== undefined);
  return `no call-frame information in this ELF for the function at ${place}${why === undefined ? '' : ` (${why})`}`;
}

/** Why an ELF has no call-frame information for a function, the likeliest first. */
const LACKS: Readonly<Record<string, string>> = {
  FIRMWARE_COMPRESSED: 'its debug sections are compressed in a way that cannot be read',
  FIRMWARE_STRIPPED: 'it is stripped',
  FIRMWARE_NO_CALL_FRAMES: 'it has none at all',
  FIRMWARE_INCOMPLETE: 'a part of it is damaged',
};
