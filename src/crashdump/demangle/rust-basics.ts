import { NotMangled } from './cursor.js';

/** Types of one letter in Rust's names. */
export const BASIC_TYPES: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

/** @throws NotMangled for what is no character */
export function characterLiteral(point: number): string {
  if (point > 0x10ffff) throw new NotMangled();
  const escaped = new Map([
    [0x09, '\\t'],
    [0x0a, '\\n'],
    [0x0d, '\\r'],
    [0x27, "\\'"],
    [0x5c, '\\\\'],
  ]).get(point);
  const isPrintable = point >= 0x20 && point !== 0x7f;
  return `'${escaped ?? (isPrintable ? String.fromCodePoint(point) : `\\u{${point.toString(16)}}`)}'`;
}
