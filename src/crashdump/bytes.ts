/**
 * The only way in which this library reads untrusted bytes.
 *
 * A reader is a bounded window over a byte array, with a name for error messages and a position that moves only when a
 * read succeeds. A structure gets its own window (`slice`), so a wrong length cannot exceed its parent. All numbers are
 * little-endian, as on every ESP32-family chip.
 */

/** Bytes that violate their format. The message names the structure, the needed length and the offset. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/**
 * The same bytes, borrowed: views into a `Buffer` cost several times as much as those into an array.
 * @throws TypeError for what is none, as callers without types give it
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (!ArrayBuffer.isView(bytes))
    throw new TypeError(
      'A Uint8Array is needed: new Uint8Array(buffer) of an ArrayBuffer, the bytes of a file instead of its name.',
    );
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Byte order of the machine that runs this code. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export class ByteReader {
  readonly length: number;
  readonly #file: Uint8Array;
  /** Over the whole file, because creating one per reader would be its largest cost. */
  readonly #view: DataView;
  /** Offset of the window in the file. */
  readonly #start: number;
  #bytes: Uint8Array | null = null;
  #position = 0;

  /**
   * @param what names the structure in errors: "container header", "program header 3"
   * @param file not copied
   * @param base offset of the window's first byte in the original file, for errors
   * @param window the part of `file` to read; default: all. A part must have been checked by another reader
   */
  constructor(
    readonly what: string,
    file: Uint8Array,
    readonly base = 0,
    window?: { start: number; length: number; view: DataView },
  ) {
    this.#file = file;
    this.#start = window?.start ?? 0;
    this.length = window?.length ?? file.length;
    this.#view = window?.view ?? new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  /** The window. Borrowed, not copied. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.#file.subarray(this.#start, this.#start + this.length);
    return this.#bytes;
  }

  /** Offset of the next byte to be read, relative to this window. */
  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.length - this.#position;
  }

  get atEnd(): boolean {
    return this.#position >= this.length;
  }

  u8(): number {
    const at = this.#position;
    if (at >= this.length) this.#refuse(at, 1, this.what);
    this.#position = at + 1;
    return this.#view.getUint8(this.#start + at);
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  u24(): number {
    const start = this.#step(3);
    return this.#view.getUint16(start, true) + this.#view.getUint8(start + 2) * 0x10000;
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }

  i16(): number {
    return this.#view.getInt16(this.#step(2), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#step(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  /** A copy of the next `count` words. */
  words(count: number): Uint32Array {
    const bytes = this.take(count * 4);
    const words = new Uint32Array(count);
    if (IS_LITTLE_ENDIAN) new Uint8Array(words.buffer).set(bytes);
    else
      for (let at = 0; at < count; at++)
        words[at] = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at * 4, true);
    return words;
  }

  /** A view of the next `length` bytes. Borrowed, not copied. */
  take(length: number): Uint8Array {
    this.#check(this.#position, length, this.what);
    const start = this.#step(length);
    return this.#file.subarray(start, start + length);
  }

  skip(length: number): void {
    this.#check(this.#position, length, this.what);
    this.#position += length;
  }

  seek(position: number): void {
    if (!Number.isInteger(position) || position < 0 || position > this.length) {
      throw new Malformed(`${this.what}: offset ${position} is outside its ${this.length} bytes`);
    }
    this.#position = position;
  }

  /** Moves up to the next multiple of `alignment`, counted from the window's start. */
  align(alignment: number): void {
    const over = this.#position % alignment;
    if (over !== 0) this.skip(alignment - over);
  }

  /** A separate reader for `length` bytes at `offset` of this window. The position here does not move. */
  slice(what: string, offset: number, length: number): ByteReader {
    this.#check(offset, length, what);
    return new ByteReader(what, this.#file, this.base + offset, {
      start: this.#start + offset,
      length,
      view: this.#view,
    });
  }

  /** A separate reader for the next `length` bytes; moves past them. */
  split(what: string, length: number): ByteReader {
    const reader = this.slice(what, this.#position, length);
    this.#position += length;
    return reader;
  }

  /** Unsigned LEB128 (DWARF 5 §7.6), at most 10 bytes, refused beyond `Number.MAX_SAFE_INTEGER`. */
  uleb128(): number {
    const start = this.#position;
    const first = this.u8();
    if (first < 0x80) return first;
    let result = first & 0x7f;
    let scale = 128;
    for (let count = 1; count < 10; count++) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) {
        if (result <= Number.MAX_SAFE_INTEGER) return result;
        break;
      }
      scale *= 128;
    }
    this.#position = start;
    throw new Malformed(`${this.what}: LEB128 at ${this.base + start} is unterminated or too large`);
  }

  /** Signed LEB128 (DWARF 5 §7.6), same limits. */
  sleb128(): number {
    const start = this.#position;
    let result = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.u8();
      const isLast = (byte & 0x80) === 0;
      // The top bit of the last byte is the sign. It is handled here, so that no intermediate sum exceeds exact
      // integers.
      const digits = isLast && (byte & 0x40) !== 0 ? (byte & 0x7f) - 0x80 : byte & 0x7f;
      result += digits * scale;
      scale *= 128;
      if (isLast) {
        if (Number.isSafeInteger(result)) return result;
        break;
      }
    }
    this.#position = start;
    throw new Malformed(`${this.what}: LEB128 at ${this.base + start} is unterminated or too large`);
  }

  /** Moves past a LEB128, signed or unsigned, whatever its value. */
  skipLeb128(): void {
    const start = this.#position;
    for (let count = 0; count < 10; count++) {
      if ((this.u8() & 0x80) === 0) return;
    }
    this.#position = start;
    throw new Malformed(`${this.what}: LEB128 at ${this.base + start} is unterminated or too large`);
  }

  /** Unsigned LEB128 of any value up to 64 bits; higher bits are dropped. */
  wideUleb128(): bigint {
    return BigInt.asUintN(64, this.#wideLeb128().value);
  }

  /** Signed LEB128 of any value up to 64 bits. */
  wideSleb128(): bigint {
    const { value, bits } = this.#wideLeb128();
    return BigInt.asIntN(64, BigInt.asIntN(bits, value));
  }

  #wideLeb128(): { value: bigint; bits: number } {
    const start = this.#position;
    this.skipLeb128();
    let value = 0n;
    for (let at = this.#position - 1; at >= start; at--) {
      value = (value << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f);
    }
    return { value, bits: (this.#position - start) * 7 };
  }

  /** Text up to a NUL (consumed, not part of the result); invalid UTF-8 becomes U+FFFD. */
  cString(): string {
    const start = this.#position;
    this.skipCString();
    const from = this.#file.byteOffset + this.#start + start;
    return Buffer.from(this.#file.buffer, from, this.#position - start - 1).toString();
  }

  /** Moves past a text and its NUL. */
  skipCString(): void {
    const end = this.bytes.indexOf(0, this.#position);
    if (end < 0) {
      throw new Malformed(`${this.what}: string at ${this.base + this.#position} has no end`);
    }
    this.#position = end + 1;
  }

  /** Moves by a fixed size. @returns the previous position, in the file */
  #step(size: number): number {
    const start = this.#position;
    if (start + size > this.length) this.#refuse(start, size, this.what);
    this.#position = start + size;
    return this.#start + start;
  }

  #check(offset: number, length: number, what: string): void {
    const fits =
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= this.length;
    if (!fits) this.#refuse(offset, length, what);
  }

  #refuse(offset: number, length: number, what: string): never {
    const available = Math.max(0, this.length - offset);
    throw new Malformed(`${what}: needs ${length} bytes at ${this.base + offset}, has ${available}`);
  }
}
