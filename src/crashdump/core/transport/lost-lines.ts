import { knownLayout } from '../dump-header.js';
import { type Gap, type Gaps, NO_GAPS } from '../gaps.js';

const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_RISCV = 0xf3;
const ELF_HEADER = 52;
const PROGRAM_HEADER = 32;
/** Places and distances that are tried. */
const MOST_LOOKS = 200_000;

/**
 * Lines that are missing without a trace: all that stands behind them has moved. The dump's own structure says where:
 * program headers follow one another, notes have names, a control block contains its own address. Between the last
 * thing that stands where it belongs and the first that does not, nothing is certain.
 * @param bytes what is here, in order
 * @param announced the length of the whole dump
 */
export function placeLostBytes(bytes: Uint8Array, announced: number, lineSize: number): Placed {
  const missing = announced - bytes.length;
  const layout = knownLayout(bytes);
  const here = new Landmarks(bytes, missing, lineSize);
  if (layout?.payload === 'elf') here.followElf(layout.headerSize);
  return here.layOut(announced);
}

export interface Placed {
  bytes: Uint8Array;
  gaps: Gaps;
  /** All landmarks that are here stand where they belong. */
  isInPlace: boolean;
}

/** What was found in its place, and how far that place has moved. */
class Landmarks {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #distances: number[];
  /** By control block: where the note with the task's registers stands. */
  readonly #registers = new Map<number, number>();
  readonly #moves: { before: number; from: number; distance: number }[] = [];
  #distance = 0;
  #isRiscv = false;
  /** In the whole dump: up to here all bytes have their place. */
  #certain = 0;
  #looks = 0;

  constructor(bytes: Uint8Array, missing: number, lineSize: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#distances = [];
    for (let distance = 0; distance < missing; distance += Math.max(lineSize, 4))
      this.#distances.push(distance);
    this.#distances.push(missing);
  }

  followElf(headerSize: number): void {
    if (this.#word(headerSize) !== 0x464c457f) return;
    this.#isRiscv = this.#half(headerSize + 18) === EM_RISCV;
    const count = this.#half(headerSize + 44);
    this.#certain = headerSize + ELF_HEADER;
    const tableEnd = headerSize + ELF_HEADER + count * PROGRAM_HEADER;
    let end = tableEnd - headerSize;
    const segments: { type: number; at: number; address: number; size: number }[] = [];
    for (let index = 0; index < count; index++) {
      const at = headerSize + ELF_HEADER + index * PROGRAM_HEADER;
      const isNext = (place: number) =>
        this.#isHeader(place) && (this.#word(place + 4) === end || this.#distance < at - place);
      const place = this.#find(at, isNext);
      if (place === null) continue;
      this.#reach(at, place, PROGRAM_HEADER);
      const [type, offset, address] = [this.#word(place), this.#word(place + 4), this.#word(place + 8)];
      const size = this.#word(place + 16);
      segments.push({ type, at: headerSize + offset, address, size });
      end = offset + size;
    }
    for (const [index, { type, at, address, size }] of segments.entries()) {
      if (type === PT_NOTE) this.#followNotes(at, size);
      else {
        this.#followControlBlock(at, address, size);
        const task = segments[index - 1];
        if (task?.type === PT_LOAD) this.#followStack(at, size, this.#registers.get(task.address));
      }
    }
  }

  /** The bytes with a gap at each move. */
  layOut(announced: number): Placed {
    const whole = new Uint8Array(announced);
    const gaps: Gap[] = [];
    let done = 0;
    let distance = 0;
    for (const move of this.#moves) {
      whole.set(this.#bytes.subarray(done - distance, move.before - distance), done);
      if (move.from > move.before) gaps.push({ start: move.before, end: move.from });
      done = move.from;
      distance = move.distance;
    }
    const missing = announced - this.#bytes.length;
    if (distance === missing) {
      whole.set(this.#bytes.subarray(done - distance), done);
      return { bytes: whole, gaps, isInPlace: false };
    }
    whole.set(this.#bytes.subarray(done - distance, this.#certain - distance), done);
    if (announced > this.#certain) gaps.push({ start: this.#certain, end: announced });
    return { bytes: whole, gaps: gaps.length === 0 ? NO_GAPS : gaps, isInPlace: distance === 0 };
  }

  #followNotes(start: number, size: number): void {
    let at = start;
    while (at + 12 < start + size && this.#looks < MOST_LOOKS) {
      const place = this.#find(at, (candidate) => this.#isNote(candidate));
      if (place === null) return;
      this.#reach(at, place, 16);
      if (this.#word(place + 12) === NAME_CORE) {
        const description = place + 12 + aligned(this.#word(place));
        this.#registers.set(this.#word(description + 24), description + 72);
      }
      at += 12 + aligned(this.#word(place)) + aligned(this.#word(place + 4));
    }
  }

  #followControlBlock(at: number, address: number, size: number): void {
    if (size < 44 || size > 4096) return;
    // Both list items of a control block name their owner.
    const isOwner = (place: number) =>
      this.#word(place + 16) === address && this.#word(place + 36) === address && address !== 0;
    const place = this.#find(at, isOwner);
    if (place !== null) this.#reach(at, place, 40, 16);
  }

  /** A stack begins with registers that the task's note has too (frames of ../../arch). */
  #followStack(at: number, size: number, note: number | undefined): void {
    if (note === undefined || size < 128) return;
    const isFrame = (place: number) => this.#isFrame(place, note);
    const place = this.#find(at, isFrame);
    if (place === null) return;
    // RISC-V: pc, x1 to x31 in both. Xtensa: a0 to a15 from word 3, in the note from word 64.
    const isRiscv = this.#isRiscv;
    let words = isRiscv ? 1 : 3;
    const end = isRiscv ? 32 : 19;
    const from = note + (isRiscv ? 0 : (64 - 3) * 4);
    while (words < end && this.#word(place + words * 4) === this.#word(from + words * 4)) words++;
    this.#reach(at, place, words * 4, isRiscv ? 0 : 4);
  }

  /** Where the thing that belongs to `at` stands: at the distance of before, or farther in front. */
  #find(at: number, isThere: (place: number) => boolean): number | null {
    for (const distance of this.#distances) {
      if (distance < this.#distance) continue;
      if (this.#looks++ > MOST_LOOKS) return null;
      const place = at - distance;
      // What stands in front has its place already.
      if (place < this.#certain - this.#distance) return null;
      if (isThere(place)) return place;
    }
    return null;
  }

  /** @param proven offset of the first word that was compared: in front of it bytes may be missing */
  #reach(at: number, place: number, size: number, proven = 0): void {
    const distance = at - place;
    if (distance !== this.#distance) {
      this.#moves.push({ before: Math.min(this.#certain, at), from: at + proven, distance });
      this.#distance = distance;
    }
    this.#certain = Math.max(this.#certain, at + size);
  }

  /** pc and stack pointer are those of the note. */
  #isFrame(place: number, note: number): boolean {
    const pc = this.#word(note);
    const word = (index: number) => this.#word(place + index * 4);
    if (this.#isRiscv) return pc !== 0 && word(0) === pc && word(2) === this.#word(note + 8);
    const sp = this.#word(note + 65 * 4);
    // XtSolFrame of a task that yielded, whose pc has the size of its call in the top bits; otherwise XtExcFrame.
    return word(0) === 0
      ? (word(1) ^ pc) << 2 === 0 && word(5) === sp
      : word(1) === pc && pc !== 0 && word(4) === sp;
  }

  #isHeader(place: number): boolean {
    const type = this.#word(place);
    const [address, physical, size, memory] = [8, 12, 16, 20].map((offset) => this.#word(place + offset));
    return (type === PT_LOAD || type === PT_NOTE) && address === physical && size === memory;
  }

  #isNote(place: number): boolean {
    const size = this.#word(place);
    if (size < 4 || size > 32 || this.#word(place + 4) > 4096) return false;
    const name = this.#word(place + 12);
    return name === NAME_CORE || name === NAME_ESP || name === NAME_EXTRA;
  }

  #word(at: number): number {
    return at >= 0 && at + 4 <= this.#bytes.length ? this.#view.getUint32(at, true) : 0;
  }

  #half(at: number): number {
    return at >= 0 && at + 2 <= this.#bytes.length ? this.#view.getUint16(at, true) : 0;
  }
}

/** "CORE", "ESP_" and "EXTR" as words. */
const NAME_CORE = 0x45524f43;
const NAME_ESP = 0x5f505345;
const NAME_EXTRA = 0x52545845;

function aligned(size: number): number {
  return (size + 3) & ~3;
}
