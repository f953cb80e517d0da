/**
 * Demangles names of C++ (Itanium C++ ABI, §5.1) and of Rust, and formats them as GNU tools do. For names with unknown or
 * invalid parts the result is null; `readableName` shows what can be read of them.
 */
import { MangledName } from './parser.js';
import { printEncoding, printFunctionName } from './print.js';
import { demangleLegacyRust } from './rust-legacy.js';
import { demangleRustV0 } from './rust-v0.js';

/** A linker symbol has some hundreds of characters at most; the expansion of templates can be far longer. */
const MAX_MANGLED_LENGTH = 4096;

/** `ns::Class<int>::method(char const*) const`; null for what is no mangled name. */
export function demangle(symbol: string): string | null {
  return demangleRust(symbol) ?? parse(symbol, printEncoding, false);
}

/** As GDB names frames: without parameters and suffixes, without typedefs: `ns::Class<int>::method`. */
export function demangleFunctionName(symbol: string): string | null {
  return demangleRust(symbol) ?? parse(symbol, printFunctionName, true);
}

/** Also what no rule reads: the identifiers in it, `ns::Class::method`, or the symbol itself when it is not mangled. */
export function readableName(symbol: string): string {
  return demangle(symbol) ?? identifierPath(symbol) ?? symbol;
}

function demangleRust(symbol: string): string | null {
  return symbol.length > MAX_MANGLED_LENGTH ? null : (demangleLegacyRust(symbol) ?? demangleRustV0(symbol));
}

function parse(symbol: string, print: typeof printEncoding, spellsOut: boolean): string | null {
  if (!symbol.startsWith('_Z') || symbol.length > MAX_MANGLED_LENGTH) return null;
  // Suffixes for copies of a function: ".isra.0", ".constprop.1.part.2", ".llvm.123".
  const clone = /(?:\.\w+)+$/.exec(symbol);
  const mangled = clone === null ? symbol : symbol.slice(0, clone.index);
  const encoding = new MangledName(mangled.slice(2), spellsOut).parse();
  if (encoding === null) return null;
  const suffixes = clone?.[0].match(/\.[a-zA-Z_]\w*(?:\.\d+)*|(?:\.\d+)+/g) ?? [];
  const text = print(encoding);
  return text === null ? null : text + suffixes.map((suffix) => ` [clone ${suffix}]`).join('');
}

const MAX_IDENTIFIERS = 8;
/** The hash of a Rust crate, and a digit of the length that is none of the name. */
const LENGTH = /^(?:s[0-9A-Za-z]{0,11}_)?u?(\d{1,4})(_?)/;

/**
 * The leading identifiers of a name whose rest is unknown: `_ZN2ns5Class6methodIXnewEEvv` is at least `ns::Class::method`.
 * Template arguments end the path. Null where there is none.
 */
export function identifierPath(symbol: string): string | null {
  const isRust = /^_R[A-Z]/.test(symbol);
  if (!isRust && !symbol.startsWith('_Z')) return null;
  const mangled = symbol.slice(0, MAX_MANGLED_LENGTH);
  const starts = isRust
    ? [/^_R[A-Z][A-Za-z]*?(?=s[0-9A-Za-z]{0,11}_\d|\d)/]
    : [/^_Z\D*/, /^_Z[A-Z]+[hnv\d_]*_[A-Z]*/];
  for (const start of starts) {
    const prefix = start.exec(mangled)?.[0];
    const names = prefix === undefined ? [] : identifiersAt(mangled, prefix.length, isRust);
    if (names.length > 0) return [...(prefix?.endsWith('St') === true ? ['std'] : []), ...names].join('::');
  }
  return null;
}

function identifiersAt(mangled: string, start: number, isRust: boolean): string[] {
  const names: string[] = [];
  for (let at = start; names.length < MAX_IDENTIFIERS; ) {
    const length = LENGTH.exec(mangled.slice(at, at + 24));
    if (length === null || (!isRust && length[0] !== (length[1] ?? '') + length[2])) break;
    const begin = at + length[0].length - (isRust ? 0 : (length[2]?.length ?? 0));
    const end = begin + Number(length[1]);
    const name = mangled.slice(begin, end);
    if (end > mangled.length || !/^[\p{L}_$.][\p{L}\d_$.]*$/u.test(name)) break;
    names.push(/^_GLOBAL_[._$]N/.test(name) ? '(anonymous namespace)' : name);
    at = end;
  }
  return names;
}
