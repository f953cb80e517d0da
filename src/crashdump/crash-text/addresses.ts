import { isCodeAddress } from '../arch/chips.js';
import type { PrintedCall } from './crash-text.js';
import { type FoundCrash, newCore, noCrash } from './found-crash.js';
import type { Line } from './lines.js';

/** `xtensa-esp32-elf-addr2line -pfiaC -e firmware.elf 0x400d66bc 0x400d66f5` */
const COMMAND = /\baddr2line(?:\.exe)?(?: |$)/;
const IN_COMMAND = /(?<![0-9A-Za-z])0x([0-9a-fA-F]{6,8})(?![0-9A-Za-z])/g;
/** Half of it is the address of an entry, half its stack pointer. */
const PAIR = /(?<![0-9A-Za-z])(?:0x)?([0-9a-fA-F]{8}):(?:0x)?[0-9a-fA-F]{8}(?![0-9A-Za-z])/g;
const WITH_0X = /(?<![0-9A-Za-z])0x([0-9a-fA-F]{8})(?![0-9A-Za-z])/g;
const PLAIN = /(?<![0-9A-Za-z])([0-9a-fA-F]{8})(?![0-9A-Za-z])/g;
/** What else stands in a list: numbers of entries, brackets, commas, and the word before it. */
const DECORATION =
  /backtrace|call ?chain|stack ?trace|addresses|#?\b\d{1,3}\b|\bat\b|\bpc\b|[\s:,;#[\](){}<>"'|.=*-]+/gi;
const LONGEST_LIST = 16 * 1024;
const MOST_ADDRESSES = 256;
/** More than the path of a file: words of prose. */
const MOST_OTHER_LETTERS = 4;

/**
 * Addresses that somebody lists. There must be hardly anything else: numbers of eight digits are in many texts, and those
 * of a dump in hexadecimal are no addresses of code.
 */
export function readAddresses(lines: readonly Line[]): FoundCrash | null {
  for (const [at, { body }] of lines.entries()) {
    if (!COMMAND.test(body)) continue;
    const addresses = commandAt(lines, at);
    if (addresses.length > 0 && addresses.every(isCodeAddress))
      return toCrash(addresses, at, lines.length - 1);
  }
  const text = lines.map(({ body }) => body).join('\n');
  if (text.length > LONGEST_LIST) return null;
  const addresses = listIn(text);
  return addresses === null ? null : toCrash(addresses, 0, lines.length - 1);
}

/** Mail programs wrap the command. */
function commandAt(lines: readonly Line[], at: number): number[] {
  const parts = [lines[at]?.body ?? ''];
  for (const { body } of lines.slice(at + 1, at + 33)) {
    if (!/^(?:0x[0-9a-fA-F]{8} *)+$/.test(body)) break;
    parts.push(body);
  }
  return numbers(parts.join(' '), IN_COMMAND);
}

function listIn(text: string): number[] | null {
  const pairs = numbers(text, PAIR);
  const withoutPairs = text.replaceAll(PAIR, ' ');
  const marked = numbers(withoutPairs, WITH_0X);
  const rest = withoutPairs.replaceAll(WITH_0X, ' ');
  const plain = numbers(rest, PLAIN);
  const addresses = [...pairs, ...marked, ...plain];
  if (addresses.length === 0 || addresses.length > MOST_ADDRESSES) return null;
  if (rest.replaceAll(PLAIN, ' ').replaceAll(DECORATION, '').length > MOST_OTHER_LETTERS) return null;
  // Eight decimal digits may be anything.
  const isProven =
    pairs.length + marked.length > 0 || (plain.length > 1 && /[a-f]/i.test(rest.replaceAll(DECORATION, ' ')));
  const code = addresses.filter(isCodeAddress).length;
  return isProven && code * 10 >= addresses.length * 9 ? inOrder(text) : null;
}

function inOrder(text: string): number[] {
  return numbers(text, /(?<![0-9A-Za-z])(?:0x)?([0-9a-fA-F]{8})(?::(?:0x)?[0-9a-fA-F]{8})?(?![0-9A-Za-z])/g);
}

function numbers(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)]
    .slice(0, MOST_ADDRESSES + 1)
    .map(([, hex = '']) => Number.parseInt(hex, 16));
}

function toCrash(addresses: readonly number[], first: number, last: number): FoundCrash {
  const core = newCore();
  core.calls = addresses.slice(0, MOST_ADDRESSES).map((pc): PrintedCall => ({ pc, sp: null, kind: 'bare' }));
  return { ...noCrash('addresses', first), cores: [core], last };
}
