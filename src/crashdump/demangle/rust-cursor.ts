import { NotMangled } from './cursor.js';
import { decodePunycode } from './punycode.js';

const MAX_DEPTH = 128;
/** References back make a name longer than it is written, exponentially at worst. */
const MAX_PRINTED_LENGTH = 64 * 1024;
const MAX_STEPS = 50_000;

/** The parts below the grammar of Rust's names: numbers, identifiers, references back, and what has been printed. */
export abstract class RustCursor {
  #at = 0;
  #depth = 0;
  #steps = 0;
  #printed = '';
  #isSilent = false;

  constructor(private readonly mangled: string) {}

  protected hexadecimal(): bigint {
    const digits = this.#hexadecimalDigits();
    return digits === '' ? 0n : BigInt(`0x${digits}`);
  }

  #hexadecimalDigits(): string {
    const end = this.mangled.indexOf('_', this.#at);
    const digits = this.mangled.slice(this.#at, Math.max(end, 0));
    if (end < 0 || !/^[0-9a-f]*$/.test(digits)) throw new NotMangled();
    this.#at = end + 1;
    return digits;
  }

  protected stringLiteral(): string {
    const digits = this.#hexadecimalDigits();
    if (digits.length % 2 !== 0) throw new NotMangled();
    const bytes = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    return JSON.stringify(new TextDecoder().decode(bytes));
  }

  protected backReference<T>(read: () => T): T {
    const start = this.#at - 1;
    const target = this.base62();
    if (target >= start) throw new NotMangled();
    const after = this.#at;
    this.#at = target;
    // What is not printed need not be read again.
    const result = read();
    this.#at = after;
    return result;
  }

  protected list(element: () => void, separator = ', '): number {
    let count = 0;
    for (; !this.accept('E'); count++) {
      if (count > 0) this.print(separator);
      element();
    }
    return count;
  }

  protected disambiguator(): number {
    return this.accept('s') ? this.base62() + 1 : 0;
  }

  /** `_` is 0, `0_` is 1. */
  protected base62(): number {
    if (this.accept('_')) return 0;
    let value = 0;
    for (let digit = this.next(); digit !== '_'; digit = this.next()) {
      const index = BASE_62.indexOf(digit);
      value = value * 62 + index;
      // The 64 bits of a crate's hash are rounded; nobody sees them.
      if (index < 0 || value > 2 ** 64) throw new NotMangled();
    }
    return value + 1;
  }

  protected identifier(): string {
    const isPunycode = this.accept('u');
    const digits = /^(?:0|[1-9]\d{0,4})/.exec(this.mangled.slice(this.#at, this.#at + 5))?.[0];
    if (digits === undefined) throw new NotMangled();
    this.#at += digits.length;
    this.accept('_');
    const end = this.#at + Number(digits);
    if (end > this.mangled.length) throw new NotMangled();
    const name = this.mangled.slice(this.#at, end);
    this.#at = end;
    return isPunycode ? decodePunycode(name) : name;
  }

  protected get printed(): string {
    return this.#printed;
  }

  protected isAtEnd(): boolean {
    return this.#at >= this.mangled.length;
  }

  protected stepBack(): void {
    this.#at--;
  }

  protected next(): string {
    const code = this.mangled[this.#at];
    if (code === undefined) throw new NotMangled();
    this.#at++;
    return code;
  }

  protected accept(code: string): boolean {
    if (this.mangled[this.#at] !== code) return false;
    this.#at++;
    return true;
  }

  protected print(text: string): void {
    if (this.#isSilent) return;
    this.#printed += text;
    if (this.#printed.length > MAX_PRINTED_LENGTH) throw new NotMangled();
  }

  protected silently(read: () => void): void {
    const wasSilent = this.#isSilent;
    this.#isSilent = true;
    read();
    this.#isSilent = wasSilent;
  }

  protected nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH || ++this.#steps > MAX_STEPS) throw new NotMangled();
    const result = read();
    this.#depth--;
    return result;
  }
}

const BASE_62 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
