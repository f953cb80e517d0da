import type { PrintedMemory } from './crash-text.js';

/** `3fcad480: 0x00000004 0x3fc9f3dc …` */
const LINE = /(?<![0-9a-zA-Z])(?:0x)?([0-9a-fA-F]{8}): {1,4}((?:0x)?[0-9a-fA-F]{1,8}(?![0-9a-zA-Z]).*)$/;
const WORD = /^(?:0x)?([0-9a-fA-F]{8})$/;
const WORDS_ALONE = /^(?:(?:0x)?[0-9a-fA-F]{8} *){1,8}$/;
/** The beginning of a word whose end a terminal has moved to the next line. */
const CUT_WORD = /^0(?:x[0-9a-fA-F]{0,7})?$/;
/** What is left of a word: about as long, and most of it. */
const DAMAGED_WORD = /^[^\s]{8,12}$/;
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
  #cutWord = '';
  /** A line of the log stands in the line, and may have taken characters of it away. */
  #isInterrupted = false;

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
      if (this.#open !== null) this.isDamaged = true;
      const address = Number.parseInt(found[1] ?? '', 16);
      this.#words = 0;
      this.#take(address, found[2] ?? '');
      return true;
    }
    const rest = this.#open === null ? null : this.#restIn(line);
    if (this.#open === null || rest === null) {
      if (this.#open !== null) this.isDamaged = true;
      this.#open = null;
      return false;
    }
    this.#take(this.#open, rest);
    return true;
  }

  /**
   * The words with which an open line goes on. Behind a line of the log they must be all that it lacks: else nothing says
   * where they stood.
   */
  #restIn(line: string): string | null {
    const rest = `${this.#cutWord}${line}`;
    const isWhole = WORDS_ALONE.test(rest) && wordsOf(rest).length <= WORDS_A_LINE - this.#words;
    const isProven = !this.#isInterrupted || wordsOf(rest).length === WORDS_A_LINE - this.#words;
    return isWhole && isProven ? rest : null;
  }

  /** A damaged word keeps its place where the line has as many as it should; behind any other text no place is known. */
  #take(address: number, text: string): void {
    const words = wordsOf(text);
    const isFull = this.#words + words.length === WORDS_A_LINE;
    let at = address;
    this.#cutWord = '';
    this.#isInterrupted = false;
    for (const [index, word] of words.slice(0, WORDS_A_LINE - this.#words).entries()) {
      const value = WORD.exec(word)?.[1];
      if (value === undefined && index === words.length - 1 && CUT_WORD.test(word)) {
        this.#cutWord = word;
        break;
      }
      if (value === undefined && !(isFull && DAMAGED_WORD.test(word))) {
        this.#isInterrupted = true;
        break;
      }
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

function wordsOf(text: string): string[] {
  return text.trim().split(/ +/);
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
