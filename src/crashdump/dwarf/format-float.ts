/** Floating-point numbers as GDB prints them: C's `%g` with enough digits to distinguish all numbers. */
import { littleEndian } from './stack-value.js';

/** C's `%.5g` for two bytes, `%.9g` for four, `%.17g` for eight, `%.36Lg` for sixteen (IEEE 754 binary16 to binary128). */
export function formatFloat(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 2) return formatHalf(view.getUint16(0, true));
  if (bytes.length === 4) {
    const bits = view.getUint32(0, true);
    return formatGeneral(view.getFloat32(0, true), 9, bits & 0x7fffff, bits >>> 31 !== 0);
  }
  if (bytes.length === 16) return formatQuadruple(littleEndian(bytes));
  if (bytes.length !== 8) return '<invalid float value>';
  const bits = view.getBigUint64(0, true);
  return formatGeneral(view.getFloat64(0, true), 17, BigInt.asUintN(52, bits), bits >> 63n !== 0n);
}

/** Both parts of a complex number: `1 + 2.5i`. */
export function formatComplex(bytes: Uint8Array): string {
  const half = bytes.length / 2;
  return `${formatFloat(bytes.subarray(0, half))} + ${formatFloat(bytes.subarray(half))}i`;
}

function formatHalf(bits: number): string {
  const [isNegative, exponent, fraction] = [bits >>> 15 !== 0, (bits >>> 10) & 0x1f, bits & 0x3ff];
  const size =
    exponent === 0x1f
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (0x400 + fraction) * 2 ** (exponent - 25);
  return formatGeneral(isNegative ? -size : size, 5, fraction, isNegative);
}

function formatGeneral(
  value: number,
  digits: number,
  mantissa: number | bigint,
  isNegative: boolean,
): string {
  if (Number.isNaN(value)) return `${isNegative ? '-' : ''}nan(0x${mantissa.toString(16)})`;
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [figures = '', exponent = '0'] = Math.abs(value)
    .toExponential(digits - 1)
    .split('e');
  return (value < 0 ? '-' : '') + general(figures.replace('.', ''), Number(exponent));
}

const [MANTISSA_BITS, EXPONENT_BIAS, MAX_EXPONENT] = [112n, 16_383n, 0x7fffn];
const QUADRUPLE_DIGITS = 36;

function formatQuadruple(bits: bigint): string {
  const sign = bits >> 127n === 0n ? '' : '-';
  const biased = (bits >> MANTISSA_BITS) & MAX_EXPONENT;
  const fraction = BigInt.asUintN(Number(MANTISSA_BITS), bits);
  if (biased === MAX_EXPONENT)
    return fraction === 0n ? `${sign}inf` : `${sign}nan(0x${fraction.toString(16)})`;
  if (biased === 0n && fraction === 0n) return `${sign}0`;
  const significand = biased === 0n ? fraction : fraction | (1n << MANTISSA_BITS);
  const power = (biased === 0n ? 1n : biased) - EXPONENT_BIAS - MANTISSA_BITS;
  const [above, below] = power >= 0n ? [significand << power, 1n] : [significand, 1n << -power];
  return sign + decimal(above, below, QUADRUPLE_DIGITS);
}

/** `above / below`, rounded half to even to the given number of significant digits. */
function decimal(above: bigint, below: bigint, digits: number): string {
  // May be wrong by one: the lengths only bound the length of the quotient.
  let exponent = String(above).length - String(below).length;
  for (;;) {
    const shift = digits - 1 - exponent;
    const [scaled, divisor] =
      shift >= 0 ? [above * 10n ** BigInt(shift), below] : [above, below * 10n ** BigInt(-shift)];
    const [whole, rest] = [scaled / divisor, (scaled % divisor) * 2n];
    const isUp = rest > divisor || (rest === divisor && whole % 2n === 1n);
    const figures = String(isUp ? whole + 1n : whole);
    if (figures.length === digits) return general(figures, exponent);
    exponent += figures.length > digits ? 1 : -1;
  }
}

/** `%g` of the significant figures `d.ddd…` times ten to the exponent. */
function general(figures: string, exponent: number): string {
  if (exponent < -4 || exponent >= figures.length) {
    const sign = exponent < 0 ? '-' : '+';
    const mantissa = withoutTrailingZeros(`${figures.slice(0, 1)}.${figures.slice(1)}`);
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return withoutTrailingZeros(`0.${'0'.repeat(-1 - exponent)}${figures}`);
  return withoutTrailingZeros(`${figures.slice(0, exponent + 1)}.${figures.slice(exponent + 1)}`);
}

function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
