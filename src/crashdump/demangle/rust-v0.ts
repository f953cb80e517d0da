/**
 * Names of Rust's own mangling, `_R…` (RFC 2603): paths with crates, closures, `impl`s and generic arguments. Formatted as
 * GNU tools do: without the hashes of crates and without the types of constants.
 */
import { NotMangled } from './cursor.js';
import { BASIC_TYPES, characterLiteral } from './rust-basics.js';
import { RustCursor } from './rust-cursor.js';

const MAX_LENGTH = 4096;
const MAX_LIFETIMES = 128;
/** `<fw::Conn as fw::Stream>::read::<8>`; null for other names. */
export function demangleRustV0(symbol: string): string | null {
  const mangled = /^_R(?=[A-Z])(\w+)(?:[.$].*)?$/.exec(symbol)?.[1];
  if (mangled === undefined || mangled.length > MAX_LENGTH) return null;
  try {
    return new RustName(mangled).read();
  } catch (error) {
    if (error instanceof NotMangled) return null;
    throw error;
  }
}

/** Reads from left to right and prints at once. Productions have the names of the RFC's grammar. */
class RustName extends RustCursor {
  /** Lifetimes that `for<…>` around this place introduces. */
  #lifetimes = 0;

  read(): string {
    this.#path(true);
    // The crate that instantiated a generic function.
    if (!this.isAtEnd()) this.silently(() => this.#path(false));
    if (!this.isAtEnd()) throw new NotMangled();
    return this.printed;
  }

  #path(isValue: boolean): void {
    this.nested(() => {
      const tag = this.next();
      switch (tag) {
        case 'C': {
          this.disambiguator();
          this.print(this.identifier());
          return;
        }
        case 'N':
          this.#nestedPath(isValue);
          return;
        case 'M':
        case 'X':
        case 'Y':
          this.#implementation(tag);
          return;
        case 'I':
          this.#path(isValue);
          this.print(isValue ? '::<' : '<');
          this.list(() => this.#genericArgument());
          this.print('>');
          return;
        case 'B':
          this.backReference(() => this.#path(isValue));
          return;
        default:
          throw new NotMangled();
      }
    });
  }

  #nestedPath(isValue: boolean): void {
    const namespace = this.next();
    if (!/[A-Za-z]/.test(namespace)) throw new NotMangled();
    this.#path(isValue);
    const number = this.disambiguator();
    const name = this.identifier();
    if (/[a-z]/.test(namespace)) {
      if (name !== '') this.print(`::${name}`);
      return;
    }
    const kind = namespace === 'C' ? 'closure' : namespace === 'S' ? 'shim' : namespace;
    this.print(`::{${kind}${name === '' ? '' : `:${name}`}#${number}}`);
  }

  #implementation(tag: 'M' | 'X' | 'Y'): void {
    if (tag !== 'Y') {
      this.disambiguator();
      this.silently(() => this.#path(false));
    }
    this.print('<');
    this.#type();
    if (tag !== 'M') {
      this.print(' as ');
      this.#path(false);
    }
    this.print('>');
  }

  #genericArgument(): void {
    if (this.accept('L')) this.#lifetime(this.base62());
    else if (this.accept('K')) this.#constant(false);
    else this.#type();
  }

  #type(): void {
    this.nested(() => {
      const tag = this.next();
      const basic = BASIC_TYPES[tag];
      if (basic !== undefined) {
        this.print(basic);
        return;
      }
      switch (tag) {
        case 'R':
        case 'Q':
          this.#reference(tag);
          return;
        case 'P':
        case 'O':
          this.print(tag === 'P' ? '*const ' : '*mut ');
          this.#type();
          return;
        case 'A':
        case 'S':
          this.print('[');
          this.#type();
          if (tag === 'A') {
            this.print('; ');
            this.#constant(true);
          }
          this.print(']');
          return;
        case 'T':
          this.#tuple(() => this.#type());
          return;
        case 'F':
          this.#withBinder(() => this.#functionType());
          return;
        case 'D':
          this.#dynamicType();
          return;
        case 'B':
          this.backReference(() => this.#type());
          return;
        case 'W':
          this.#type();
          this.print(' is ');
          this.#pattern();
          return;
        default:
          this.stepBack();
          this.#path(false);
      }
    });
  }

  #reference(tag: 'R' | 'Q'): void {
    this.print('&');
    if (this.accept('L')) {
      const lifetime = this.base62();
      if (lifetime !== 0) {
        this.#lifetime(lifetime);
        this.print(' ');
      }
    }
    if (tag === 'Q') this.print('mut ');
    this.#type();
  }

  #tuple(element: () => void): void {
    this.print('(');
    const count = this.list(element);
    this.print(count === 1 ? ',)' : ')');
  }

  #functionType(): void {
    if (this.accept('U')) this.print('unsafe ');
    if (this.accept('K')) {
      const abi = this.accept('C') ? 'C' : this.identifier().replaceAll('_', '-');
      this.print(`extern "${abi}" `);
    }
    this.print('fn(');
    this.list(() => this.#type());
    this.print(')');
    if (this.accept('u')) return;
    this.print(' -> ');
    this.#type();
  }

  #dynamicType(): void {
    this.print('dyn ');
    this.#withBinder(() => this.list(() => this.#dynamicTrait(), ' + '));
    if (!this.accept('L')) throw new NotMangled();
    const lifetime = this.base62();
    if (lifetime === 0) return;
    this.print(' + ');
    this.#lifetime(lifetime);
  }

  #dynamicTrait(): void {
    let isOpen = this.#pathWithOpenArguments();
    while (this.accept('p')) {
      this.print(isOpen ? ', ' : '<');
      isOpen = true;
      this.print(`${this.identifier()} = `);
      this.#type();
    }
    if (isOpen) this.print('>');
  }

  /** The types that a trait's object fixes stand in one list with its arguments. */
  #pathWithOpenArguments(): boolean {
    return this.nested(() => {
      if (this.accept('B')) return this.backReference(() => this.#pathWithOpenArguments());
      const isGeneric = this.accept('I');
      this.#path(false);
      if (!isGeneric) return false;
      this.print('<');
      this.list(() => this.#genericArgument());
      return true;
    });
  }

  /** `for<'a> `: `G` and the number of lifetimes less one. */
  #withBinder(read: () => void): void {
    const outer = this.#lifetimes;
    if (this.accept('G')) {
      const count = this.base62() + 1;
      if (count > MAX_LIFETIMES) throw new NotMangled();
      this.print('for<');
      for (let index = 0; index < count; index++) {
        this.#lifetimes++;
        this.print(index === 0 ? '' : ', ');
        this.#lifetime(1);
      }
      this.print('> ');
    }
    read();
    this.#lifetimes = outer;
  }

  /** 0 is a lifetime without a name, 1 the one that was introduced last. */
  #lifetime(index: number): void {
    if (index === 0) {
      this.print("'_");
      return;
    }
    const depth = this.#lifetimes - index;
    if (depth < 0) throw new NotMangled();
    this.print(depth < 26 ? `'${String.fromCharCode(0x61 + depth)}` : `'_${depth}`);
  }

  #constant(isExpression: boolean): void {
    this.nested(() => {
      const tag = this.next();
      if (tag === 'p') this.print('_');
      else if (tag === 'B') this.backReference(() => this.#constant(isExpression));
      else if ('hatslmxynoji'.includes(tag)) this.#integer();
      else if (tag === 'b') this.print(this.hexadecimal() === 0n ? 'false' : 'true');
      else if (tag === 'c') this.print(characterLiteral(Number(this.hexadecimal())));
      else if (tag === 'R' && this.accept('e')) this.print(this.stringLiteral());
      else {
        this.print(isExpression ? '' : '{');
        this.#compoundConstant(tag);
        this.print(isExpression ? '' : '}');
      }
    });
  }

  #compoundConstant(tag: string): void {
    const constant = () => this.#constant(true);
    switch (tag) {
      case 'e':
        this.print(`*${this.stringLiteral()}`);
        return;
      case 'R':
      case 'Q':
        this.print(tag === 'R' ? '&' : '&mut ');
        constant();
        return;
      case 'A':
        this.print('[');
        this.list(constant);
        this.print(']');
        return;
      case 'T':
        this.#tuple(constant);
        return;
      case 'V':
        this.#path(true);
        this.#fields();
        return;
      default:
        throw new NotMangled();
    }
  }

  #fields(): void {
    const kind = this.next();
    if (kind === 'T') {
      this.print('(');
      this.list(() => this.#constant(true));
      this.print(')');
    } else if (kind === 'S') {
      this.print(' { ');
      this.list(() => {
        this.disambiguator();
        this.print(`${this.identifier()}: `);
        this.#constant(true);
      });
      this.print(' }');
    } else if (kind !== 'U') throw new NotMangled();
  }

  #pattern(): void {
    const kind = this.next();
    if (kind === 'N') this.print('!null');
    else if (kind === 'O') this.list(() => this.#pattern(), ' | ');
    else if (kind === 'R') {
      this.#constant(true);
      this.print('..=');
      this.#constant(true);
    } else throw new NotMangled();
  }

  #integer(): void {
    const sign = this.accept('n') ? '-' : '';
    const value = this.hexadecimal();
    this.print(sign + (value < 1n << 64n ? String(value) : `0x${value.toString(16)}`));
  }
}
