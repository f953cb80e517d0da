/** Values as GDB prints them in frame lines (`print frame-arguments scalars`). */
import type { FirmwareSymbol } from '../firmware-image.js';
import { littleEndian } from './expression.js';
import type { Enumerator, ValueType } from './types.js';

export interface ValueSurroundings {
  /** Null unless every byte is there. */
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
      return type.size === 1 ? `${number} ${quoted(Number(unsigned), "'")}` : number;
    }
    case 'character':
      return `${unsigned} ${type.prefix}${quoted(Number(unsigned), "'")}`;
    case 'boolean':
      return unsigned === 0n ? 'false' : unsigned === 1n ? 'true' : String(unsigned);
    case 'float':
      return formatFloat(bytes);
    case 'enumeration':
      return formatEnumeration(type.enumerators, type.isSigned ? signed : unsigned);
    case 'pointer':
      return formatPointer(Number(unsigned), type.to, surroundings);
    case 'reference':
      return formatReference(Number(unsigned), type.to, surroundings);
    case 'aggregate':
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

function formatReference(address: number, to: ValueType, surroundings: ValueSurroundings): string {
  if (to.kind === 'aggregate') return '...';
  const place = `@0x${address.toString(16)}: `;
  const bytes = surroundings.readMemory(address, to.size);
  if (bytes === null) return `${place}<error: Cannot access memory at address 0x${address.toString(16)}>`;
  return place + formatValue(to, bytes, surroundings);
}

/** Up to its NUL, with long repetitions folded. */
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
  const error =
    failedAt === null ? '' : `<error: Cannot access memory at address 0x${failedAt.toString(16)}>`;
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
  if (character < 0x20 || character >= 0x7f) return `\\${character.toString(8).padStart(3, '0')}`;
  const text = String.fromCharCode(character);
  return text === quote || text === '\\' ? `\\${text}` : text;
}

/** The name; of flags all names; else the number. */
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

/** C's `%.9g` for four bytes, `%.17g` for eight. */
function formatFloat(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4)
    return formatGeneral(view.getFloat32(0, true), 9, view.getUint32(0, true) & 0x7fffff);
  if (bytes.length !== 8) return '<invalid float value>';
  const mantissa = BigInt.asUintN(52, view.getBigUint64(0, true));
  return formatGeneral(view.getFloat64(0, true), 17, mantissa);
}

function formatGeneral(value: number, digits: number, mantissa: number | bigint): string {
  if (Number.isNaN(value)) return `nan(0x${mantissa.toString(16)})`;
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissaText = '', exponentText = '0'] = value.toExponential(digits - 1).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? '-' : '+';
    return `${withoutTrailingZeros(mantissaText)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return withoutTrailingZeros(value.toFixed(Math.min(digits - 1 - exponent, 100)));
}

function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
