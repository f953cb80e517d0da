import { architectureOfMachine } from '../arch/architectures.js';
import { ByteReader } from '../bytes.js';
import { knownLayout, type Layout, wordAt } from './dump-header.js';

export interface FoundDump {
  /** Where the header begins; without a header, the ELF. */
  at: number;
  /** Null when the header in front of the ELF is damaged. */
  layout: Layout | null;
}

/** A partition read from too far in front, or a few bytes doubled; farther back a dump is of something else. */
const MOST_JUNK = 64 * 1024;
const HEADER_SIZES = [24, 20, 12];
const ET_CORE = 4;

/** Looks for a dump behind bytes that do not belong to it, or behind a damaged header. Null without one. */
export function findDump(bytes: Uint8Array): FoundDump | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = buffer.subarray(0, MOST_JUNK + 256);
  for (let elf = head.indexOf(ELF32, 0); elf >= 0; elf = head.indexOf(ELF32, elf + 1)) {
    if (!isCore(buffer, elf)) continue;
    const size = HEADER_SIZES.find(
      (candidate) =>
        elf >= candidate && knownLayout(bytes.subarray(elf - candidate))?.headerSize === candidate,
    );
    if (size === undefined) return { at: elf, layout: null };
    return { at: elf - size, layout: knownLayout(bytes.subarray(elf - size)) ?? null };
  }
  return findBinDump(bytes);
}

/** Class and byte order of the chips' ELF files. */
const ELF32 = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);

function isCore(buffer: Buffer, at: number): boolean {
  if (at + 52 > buffer.length || buffer.readUInt16LE(at + 16) !== ET_CORE) return false;
  return architectureOfMachine(buffer.readUInt16LE(at + 18)) !== null;
}

/** A header of the old format has little that is unmistakable: all its numbers must be possible. */
function findBinDump(bytes: Uint8Array): FoundDump | null {
  const last = Math.min(MOST_BIN_JUNK, bytes.length - 40);
  for (let at = 1; at <= last; at++) {
    const rest = bytes.subarray(at);
    const layout = knownLayout(rest);
    if (layout?.payload !== 'bin') continue;
    const header = new ByteReader('BIN header', rest);
    const [total, tasks, tcbSize] = [0, 8, 12].map((offset) => wordAt(header, offset));
    const tcb = wordAt(header, layout.headerSize);
    const isPossible =
      total !== undefined &&
      total > 256 &&
      total <= rest.length + 4096 &&
      isBetween(tasks, 1, 256) &&
      isBetween(tcbSize, 64, 4096);
    if (isPossible && tcb >>> 24 === 0x3f && tcb % 4 === 0) return { at, layout };
  }
  return null;
}

const MOST_BIN_JUNK = 4096;

function isBetween(value: number | undefined, low: number, high: number): boolean {
  return value !== undefined && value >= low && value <= high;
}
