/** Values as GDB prints them in frame lines (`print frame-arguments scalars`). */
import type { FirmwareSymbol } from '../elf/symbols.js';
import { formatComplex, formatFloat } from './format-float.js';
import { littleEndian } from './stack-value.js';
import type { Enumerator, ValueType } from './types.js';

export interface ValueSurroundings {
  /** Null unless every byte is available. */
  readMemory(address: number, length: number): Uint8Array | null;
  symbolAt(address: number): FirmwareSymbol | null;
}

/** GDB's defaults: `print characters 200`, `print repeats 10`. */
const MAX_CHARACTERS = 200;
const REPEAT_THRESHOLD = 10;

/** @param bytes of the value, as many as its type has */
export function formatValue(type: ValueType, bytes: Uint8Array, surroundings: ValueSurroundings): string {
  const unsigned = littleEndian(bytes);
  const signed = BigInt.asIntN(bytes.length * 8, unsigned);
  switch (type.kind) {
    case 'integer': {
      const number = String(type.isSigned ? signed : unsigned);
      return type.isNumber ? number : `${number} ${quoted(Number(unsigned), "'")}`;
    }
    case 'character':
      return `${unsigned} ${type.prefix}${quoted(Number(unsigned), "'")}`;
    case 'rustCharacter':
      return `${unsigned} '${rustEscaped(Number(unsigned))}'`;
    case 'boolean':
      return unsigned === 0n ? 'false' : unsigned === 1n ? 'true' : String(unsigned);
    case 'float':
      return formatFloat(bytes);
    case 'complex':
      return formatComplex(bytes);
    case 'enumeration':
      return formatEnumeration(type.enumerators, type.isSigned ? signed : unsigned);
    case 'pointer':
      return formatPointer(Number(unsigned), type.to, surroundings);
    case 'reference':
      return formatReference(type, bytes, surroundings);
    case 'memberPointer':
      if (type.size > 4) return formatPointer(Number(unsigned & 0xffffffffn), 'anything', surroundings);
      return signed === -1n ? 'NULL' : String(signed);
    case 'incomplete':
      return '<incomplete type>';
    case 'aggregate':
    case 'rust':
      return '...';
  }
}

/** `0x403849a6 <prvIdleTask>`, `0x3fc8ea9c "abort() was called"`. */
function formatPointer(address: number, to: 'text' | 'anything', surroundings: ValueSurroundings): string {
  const plain = `0x${address.toString(16)}`;
  const symbol = address === 0 ? null : surroundings.symbolAt(address);
  const offset = symbol === null ? 0 : address - symbol.address;
  const name = symbol === null ? '' : ` <${symbol.name}${offset === 0 ? '' : `+${offset}`}>`;
  const text = to === 'text' && address !== 0 ? ` ${formatString(address, surroundings)}` : '';
  return plain + name + text;
}

/** A reference with the text of its target: `@0x3fc8ab7c: 6`. */
export function formatReferenced(
  { to }: Extract<ValueType, { kind: 'reference' }>,
  address: Uint8Array,
  target: string,
): string {
  return to.kind === 'aggregate' ? '...' : `@0x${littleEndian(address).toString(16)}: ${target}`;
}

function formatReference(
  type: Extract<ValueType, { kind: 'reference' }>,
  bytes: Uint8Array,
  surroundings: ValueSurroundings,
): string {
  const address = Number(littleEndian(bytes));
  const target = type.to.kind === 'aggregate' ? null : surroundings.readMemory(address, type.to.size);
  return formatReferenced(
    type,
    bytes,
    target === null ? unreadable(address) : formatValue(type.to, target, surroundings),
  );
}

/** What GDB prints in place of a value whose memory is not there. */
export function unreadable(address: number): string {
  return `<error: Cannot access memory at address 0x${address.toString(16)}>`;
}

/** Reads up to the NUL, and folds long repetitions. */
function formatString(address: number, { readMemory }: ValueSurroundings): string {
  const bytes: number[] = [];
  let isComplete = false;
  let failedAt: number | null = null;
  while (!isComplete && bytes.length < MAX_CHARACTERS) {
    const at = address + bytes.length;
    const byte = readMemory(at, 1)?.[0];
    if (byte === undefined) {
      failedAt = at;
      break;
    }
    if (byte === 0) isComplete = true;
    else bytes.push(byte);
  }
  const error = failedAt === null ? '' : unreadable(failedAt);
  if (error !== '' && bytes.length === 0) return error;
  const ellipsis = isComplete || error !== '' ? '' : '...';
  return foldRepetitions(bytes) + ellipsis + error;
}

/** `"abc", 'x' <repeats 20 times>, "def"`. */
function foldRepetitions(bytes: readonly number[]): string {
  const parts: string[] = [];
  let open = '';
  const close = () => {
    if (open !== '') parts.push(`"${open}"`);
    open = '';
  };
  for (let index = 0; index < bytes.length; ) {
    const byte = bytes[index] ?? 0;
    let end = index;
    while (bytes[end] === byte) end++;
    const count = end - index;
    if (count > REPEAT_THRESHOLD) {
      close();
      parts.push(`${quoted(byte, "'")} <repeats ${count} times>`);
    } else {
      open += escaped(byte, '"').repeat(count);
    }
    index = end;
  }
  close();
  return parts.length === 0 ? '""' : parts.join(', ');
}

function quoted(character: number, quote: string): string {
  return quote + escaped(character, quote) + quote;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x1b, '\\033'],
]);

function escaped(character: number, quote: string): string {
  const known = ESCAPES.get(character);
  if (known !== undefined) return known;
  if (character > 0o777) return `\\x${character.toString(16)}`;
  if (character < 0x20 || character >= 0x7f) return `\\${character.toString(8).padStart(3, '0')}`;
  const text = String.fromCharCode(character);
  return text === quote || text === '\\' ? `\\${text}` : text;
}

/** Bytes in a literal, as GDB prints them. */
export function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => escaped(byte, '"')).join('');
}

function rustEscaped(point: number): string {
  const known = RUST_ESCAPES.get(point);
  if (known !== undefined) return known;
  if (point >= 0x20 && point < 0x7f) return String.fromCharCode(point);
  return point <= 0xff
    ? `\\x${point.toString(16).padStart(2, '0')}`
    : `\\u{${point.toString(16).padStart(6, '0')}}`;
}

const RUST_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x00, '\\0'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x27, "\\'"],
  [0x5c, '\\\\'],
]);

/** The enumerator's name; for flags all names; otherwise the number. */
function formatEnumeration(enumerators: readonly Enumerator[], value: bigint): string {
  const exact = enumerators.find((enumerator) => enumerator.value === value);
  if (exact !== undefined) return exact.name;
  if (!areFlags(enumerators)) return String(value);
  if (value === 0n) return '0';
  const names: string[] = [];
  let rest = value;
  for (const enumerator of enumerators) {
    if ((rest & enumerator.value) === 0n) continue;
    names.push(enumerator.name);
    rest &= ~enumerator.value;
  }
  if (rest !== 0n) names.push(`unknown: 0x${rest.toString(16)}`);
  return `(${names.join(' | ')})`;
}

function areFlags(enumerators: readonly Enumerator[]): boolean {
  return enumerators.every(({ value }) => value >= 0n && (value & (value - 1n)) === 0n);
}
