import type { PrintedMemory } from './crash-text.js';

/** `3fcad480: 0x00000004 0x3fc9f3dc …` */
const LINE = /(?<![0-9a-zA-Z])(?:0x)?([0-9a-fA-F]{8}): {1,4}((?:0x)?[0-9a-fA-F]{1,8}(?![0-9a-zA-Z]).*)$/;
const WORD = /^(?:0x)?([0-9a-fA-F]{8})$/;
const WORDS_ALONE = /^(?:(?:0x)?[0-9a-fA-F]{8} *){1,8}$/;
const WORDS_A_LINE = 8;
/** The kilobyte that ESP-IDF prints, for two cores, with much room. */
const MOST_BYTES = 64 * 1024;
const MOST_PIECES = 256;

/** Collects printed memory; words that are missing or damaged leave a hole. */
export class StackLines {
  readonly pieces: PrintedMemory[] = [];
  isDamaged = false;
  #size = 0;
  /** Where the words of a line that a mail program has wrapped go on; null behind a whole line. */
  #open: number | null = null;
  #words = 0;

  get size(): number {
    return this.#size;
  }

  /** The rest of a line is awaited. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** @returns whether the line is memory */
  read(line: string): boolean {
    const found = LINE.exec(line);
    if (found) {
      const address = Number.parseInt(found[1] ?? '', 16);
      this.#words = 0;
      this.#take(address, found[2] ?? '');
      return true;
    }
    if (this.#open === null || !WORDS_ALONE.test(line)) {
      if (this.#open !== null) this.isDamaged = true;
      this.#open = null;
      return false;
    }
    this.#take(this.#open, line);
    return true;
  }

  #take(address: number, words: string): void {
    let at = address;
    for (const word of words
      .trim()
      .split(/ +/)
      .slice(0, WORDS_A_LINE - this.#words)) {
      const value = WORD.exec(word)?.[1];
      if (value === undefined) this.isDamaged = true;
      else this.#add(at, Number.parseInt(value, 16));
      at += 4;
      this.#words += 1;
    }
    this.#open = this.#words < WORDS_A_LINE ? at : null;
  }

  #add(address: number, value: number): void {
    if (this.#size >= MOST_BYTES || address > 0xffff_fffc) return;
    const overlaps = this.pieces.some(
      (piece) => address + 4 > piece.address && address < piece.address + piece.bytes.length,
    );
    if (overlaps) return;
    const last = this.pieces.at(-1);
    if (last !== undefined && last.address + last.bytes.length === address)
      last.bytes = append(last.bytes, value);
    else if (this.pieces.length < MOST_PIECES)
      this.pieces.push({ address, bytes: append(new Uint8Array(0), value) });
    else return;
    this.#size += 4;
  }
}

/** Room is doubled, so that a long stack is not copied for each word. */
function append(bytes: Uint8Array, value: number): Uint8Array {
  const end = bytes.length;
  const hasRoom = bytes.byteOffset === 0 && bytes.buffer.byteLength >= end + 4;
  const room = hasRoom ? bytes.buffer : new ArrayBuffer(Math.max(64, end * 2));
  if (!hasRoom) new Uint8Array(room).set(bytes);
  new DataView(room).setUint32(end, value, true);
  return new Uint8Array(room, 0, end + 4);
}
