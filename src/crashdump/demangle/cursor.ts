/** A name that is not mangled, or in an unknown way. */
export class NotMangled extends Error {}

const MAX_DEPTH = 128;
/** A long name takes some thousands of steps; where the grammar is ambiguous, both ways are tried. */
const MAX_STEPS = 50_000;

/** Reads a mangled name from left to right. Throws NotMangled for anything unexpected. */
export class MangledCursor {
  at = 0;
  #depth = 0;
  #steps = 0;

  constructor(readonly mangled: string) {}

  number(): number {
    const digits = /^\d{1,9}/.exec(this.mangled.slice(this.at, this.at + 9))?.[0];
    if (digits === undefined) throw new NotMangled();
    this.at += digits.length;
    return Number(digits);
  }

  signedNumber(): string {
    return (this.accept('n') ? '-' : '') + this.number();
  }

  /** `_` is 0, `0_` is 1, `1_` is 2. */
  compactNumber(): number {
    if (this.accept('_')) return 0;
    const number = this.number() + 1;
    this.expect('_');
    return number;
  }

  /** The same in base 36. */
  sequenceNumber(): number {
    if (this.accept('_')) return 0;
    const digits = /^[0-9A-Z]{1,6}/.exec(this.mangled.slice(this.at, this.at + 6))?.[0];
    if (digits === undefined) throw new NotMangled();
    this.at += digits.length;
    this.expect('_');
    return Number.parseInt(digits, 36) + 1;
  }

  peek(ahead = 0): string {
    return this.mangled[this.at + ahead] ?? '';
  }

  startsWith(code: string): boolean {
    return this.mangled.startsWith(code, this.at);
  }

  accept(code: string): boolean {
    if (!this.startsWith(code)) return false;
    this.at += code.length;
    return true;
  }

  expect(code: string): void {
    if (!this.accept(code)) throw new NotMangled();
  }

  isAtEnd(): boolean {
    return this.at >= this.mangled.length;
  }

  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH || ++this.#steps > MAX_STEPS) throw new NotMangled();
    const result = read();
    this.#depth--;
    return result;
  }

  /** Null, at the place of before, when what is read is something else. */
  attempt<T>(read: () => T): T | null {
    const { at } = this;
    const depth = this.#depth;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof NotMangled)) throw error;
      this.at = at;
      this.#depth = depth;
      return null;
    }
  }
}
