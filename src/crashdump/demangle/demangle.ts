/**
 * Demangles C++ names of the Itanium C++ ABI, §5.1, and formats them as GNU tools do. For names with unknown or invalid
 * parts the result is null, and callers show them unchanged.
 */
import { MangledName } from './parser.js';
import { printEncoding, printFunctionName } from './print.js';

/** A linker symbol has some hundreds of characters at most; the expansion of templates can be far longer. */
const MAX_MANGLED_LENGTH = 4096;

/** `ns::Class<int>::method(char const*) const`; null for what is no mangled C++ name. */
export function demangle(symbol: string): string | null {
  return parse(symbol, printEncoding, false);
}

/** As GDB names frames: without parameters and suffixes, without typedefs: `ns::Class<int>::method`. */
export function demangleFunctionName(symbol: string): string | null {
  return parse(symbol, printFunctionName, true);
}

function parse(symbol: string, print: typeof printEncoding, spellsOut: boolean): string | null {
  if (!symbol.startsWith('_Z') || symbol.length > MAX_MANGLED_LENGTH) return null;
  // Suffixes of GCC for copies of a function: ".isra.0", ".constprop.1.part.2".
  const clone = /(?:\.[a-zA-Z_]+(?:\.\d+)*)+$/.exec(symbol);
  const mangled = clone === null ? symbol : symbol.slice(0, clone.index);
  const encoding = new MangledName(mangled.slice(2), spellsOut).parse();
  if (encoding === null) return null;
  const suffixes = clone?.[0].match(/\.[a-zA-Z_]+(?:\.\d+)*/g) ?? [];
  const text = print(encoding);
  return text === null ? null : text + suffixes.map((suffix) => ` [clone ${suffix}]`).join('');
}
