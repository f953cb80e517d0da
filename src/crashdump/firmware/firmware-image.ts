import type { SourceArgument } from '../dwarf/arguments.js';
import type { FrameContext } from '../dwarf/frame-context.js';
import type { AppDescriptor } from '../elf/app-descriptor.js';
import type { FirmwareSymbol } from '../elf/symbols.js';
import type { CfiRow } from '../unwind/cfi-row.js';
import type { ReportWarning } from '../warning.js';

/**
 * The part of a firmware ELF that the reader of dumps uses. An image depends only on the ELF's bytes, so it may be
 * cached by their hash and shared by every dump of that firmware. Nothing here throws: what the ELF does not contain is
 * null or an empty list. Addresses are unsigned 32-bit numbers.
 */
export interface FirmwareImage {
  /** SHA-256 of the ELF file's bytes, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Name of its architecture: "xtensa", "riscv". */
  readonly machine: string;
  /** The chips that it can be for; empty when nothing is known about that. */
  readonly chips: readonly string[];
  /** In the order of the section headers; those without an address (debug, symbols) too. */
  readonly sections: readonly FirmwareSection[];
  readonly appDescriptor: AppDescriptor | null;
  /**
   * The ELF's code and constants at these addresses; null unless it has all of them. Never the initial values of
   * variables, which the device's memory no longer had.
   */
  readAt(address: number, length: number): Uint8Array | null;
  /** The function or object symbol that covers the address, as in GDB's `<name+offset>`. */
  symbolAt(address: number): FirmwareSymbol | null;
  symbol(name: string): FirmwareSymbol | null;
  /** How to find the caller's registers when execution is at `pc`; null where no CFI covers it. */
  cfiAt(pc: number): CfiRow | null;
  /**
   * The function that covers `pc`, with the calls that were inlined into it: innermost first, empty when unknown.
   * A caller's frame is looked up inside its call instruction (`pc - 1`); `context.pc` is then the return address.
   * With a context the frames carry argument values.
   */
  framesAt(pc: number, context?: FrameContext): SourceFrame[];
  /**
   * The tail calls that replaced frames between the caller and the function of `calleePc`, when `returnAddress` follows
   * a call of another function: their return addresses, innermost first. Empty for an ordinary call, and where the
   * debug information allows more than one chain. `calleePc` is an address inside the callee (`pc - 1` unless it is
   * frame 0), `returnAddress` the caller's pc itself.
   */
  tailCallsBetween(calleePc: number, returnAddress: number): number[];
  /** What the ELF does not contain although the reader would use it. */
  lacks(): readonly ReportWarning[];
  /** The parts of the ELF that could not be read, one sentence each; may grow while the image is in use. */
  notes(): readonly string[];
  /**
   * Place of a member in a struct, from debug information. The unit of a function that uses the struct is searched
   * first: `structMember('tskTaskControlBlock', 'pxStack', 'vTaskSwitchContext')`.
   */
  structMember(struct: string, path: string, usedBy?: string): { offset: number; size: number } | null;
}

export interface FirmwareSection {
  name: string;
  address: number;
  size: number;
  /** `sh_type`: progbits is what the memory-region list shows, nobits occupies memory but no bytes of the file. */
  kind: 'progbits' | 'nobits' | 'other';
  /** `sh_flags`; processorSpecific when any bit of SHF_MASKPROC is set. */
  flags: { alloc: boolean; write: boolean; exec: boolean; processorSpecific: boolean };
}

export interface SourceFrame {
  function: string | null;
  file: string | null;
  line: number | null;
  /** True for a function that was inlined into the next frame of the list. */
  inlined: boolean;
  /** True when `pc` is the first address of its row of the line table: GDB then omits the address. */
  atLineStart: boolean;
  arguments: SourceArgument[];
}
