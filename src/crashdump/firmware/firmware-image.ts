import type { SourceArgument } from '../dwarf/arguments.js';
import type { FrameContext } from '../dwarf/frame-context.js';
import type { AppDescriptor } from '../elf/app-descriptor.js';
import type { FirmwareSymbol } from '../elf/symbols.js';
import type { CfiRow } from '../unwind/cfi-row.js';

/**
 * What the dump side of the reader asks of a firmware ELF. An image depends on the ELF's bytes alone, so it may be
 * cached by their hash and shared by every dump of that firmware. Nothing here throws: what the ELF cannot tell is
 * null or an empty list. Addresses are unsigned 32-bit numbers.
 */
export interface FirmwareImage {
  /** SHA-256 of the ELF file's bytes, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Name of its architecture: "xtensa", "riscv". */
  readonly machine: string;
  /** In the order of the section headers; those without an address (debug, symbols) too. */
  readonly sections: readonly FirmwareSection[];
  readonly appDescriptor: AppDescriptor | null;
  /** Bytes that the ELF itself holds for these addresses (code, constants); null unless it holds all of them. */
  readAt(address: number, length: number): Uint8Array | null;
  /** Zeroes where the addresses lie in memory that has no bytes in the file (`.bss`): so it starts. Else null. */
  zeroesAt(address: number, length: number): Uint8Array | null;
  /** The function or object symbol that covers the address, as in GDB's `<name+offset>`. */
  symbolAt(address: number): FirmwareSymbol | null;
  symbol(name: string): FirmwareSymbol | null;
  /** How the caller's registers are found when execution stands at `pc`; null where no CFI covers it. */
  cfiAt(pc: number): CfiRow | null;
  /**
   * The function that covers `pc`, with the calls that were inlined into it: innermost first, empty when unknown.
   * A caller's frame is looked up inside its call instruction (`pc - 1`); `context.pc` is then the return address.
   * With a context the frames carry argument values.
   */
  framesAt(pc: number, context?: FrameContext): SourceFrame[];
  /**
   * The tail calls by which the function that `calleePc` lies in came to run, although `returnAddress` follows a call
   * of another one: return addresses of the frames that a jump replaced, innermost first. Empty for an ordinary
   * call, and where the debug information leaves more than one possibility. `calleePc` is an address inside the
   * callee (`pc - 1` unless it is frame 0), `returnAddress` the caller's pc itself.
   */
  tailCallsBetween(calleePc: number, returnAddress: number): number[];
  /** What of the ELF could not be read, one sentence each; may grow while the image is in use. */
  notes(): readonly string[];
  /**
   * Place of a member in a struct, from debug information. The struct is first looked for where a function is that
   * uses it: `structMember('tskTaskControlBlock', 'pxStack', 'vTaskSwitchContext')`.
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
  /** True when `pc` is the first address of its row of the line table: GDB then leaves the address out. */
  atLineStart: boolean;
  arguments: SourceArgument[];
}
