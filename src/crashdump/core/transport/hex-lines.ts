import { knownLayout } from '../dump-header.js';
import { shapeOf } from './line-shape.js';
import { type DecodedLines, damaged, type Piece, whole } from './pieces.js';
import type { Section } from './sections.js';

/** One line of hexadecimal digits, however they are grouped. */
interface HexLine {
  digits: string;
  /** What stands before, with numbers abstracted: lines of one dump have the same. */
  shape: string;
  /** The number in front of the line, as written; null without one. */
  offset: string | null;
  /** Words of `hexdump`, `od -x` and `od -t x4` are numbers: their bytes are swapped. */
  wordSize: 1 | 2 | 4;
}

/** Log lines have numbers too: fewer digits are no dump. */
const FEWEST_DIGITS = 64;

/**
 * Hexadecimal text: plain, of `xxd`, `hexdump`, `od`, a C array, or of IDF's ESP_LOG_BUFFER_HEX and _HEXDUMP, with
 * other lines around; null without any.
 */
export function readHexLines({ lines: texts }: Section): DecodedLines | null {
  return readAs(texts, parseLine) ?? readAs(texts, parseWithoutOffset);
}

function readAs(texts: readonly string[], parse: (text: string) => Line): DecodedLines | null {
  const all = texts.map(parse);
  const shape = commonShape(all);
  if (shape === null) return null;
  const usual = usualTextLength(texts, all, shape);
  const lines = all.map((line, index): Line => {
    if (line === 'repeat' || (isHex(line) && line.shape === shape)) return line;
    // The last few digits of a dump look like the offset at the end of a hex dump.
    const other = isHex(line) && line.digits === '' ? parseWithoutOffset(texts[index] ?? '') : null;
    if (isHex(other) && other.shape === shape) return other;
    return isGarbled(texts[index] ?? '', usual) ? 'lost' : null;
  });
  const digits = lines.reduce((sum, line) => sum + (isHex(line) ? line.digits.length : 0), 0);
  if (digits < FEWEST_DIGITS) return null;
  const leftOut = lines.filter((line, index) => line === null && texts[index]?.trim() !== '').length;
  return { ...(readByOffset(lines) ?? readInOrder(lines)), leftOut };
}

function isHex(line: Line): line is HexLine {
  return line !== null && line !== 'repeat' && line !== 'lost';
}

/** Characters of the lines of the dump, on average. */
function usualTextLength(texts: readonly string[], lines: readonly Line[], shape: string): number {
  let count = 0;
  let sum = 0;
  for (const [index, line] of lines.entries()) {
    if (!isHex(line) || line.shape !== shape) continue;
    count++;
    sum += texts[index]?.length ?? 0;
  }
  return sum / Math.max(count, 1);
}

/** Mostly digits, and about as long as the lines of the dump: one of them with something broken in it. */
function isGarbled(text: string, usual: number): boolean {
  if (text.length * 2 < usual || text.length > usual * 1.5) return false;
  return (
    (text.match(/[0-9a-fA-F]/g)?.length ?? 0) * 2 > text.replaceAll(/\s/g, '').length &&
    usual >= FEWEST_DIGITS / 2
  );
}

/** `*` in a dump of `hexdump` or `od`: the line before is repeated up to the next offset. */
type Line = HexLine | 'repeat' | 'lost' | null;

const BYTE = /^(?:0x)?[0-9a-fA-F]{2}$/;
const GROUP = /^(?:[0-9a-fA-F]{2}){1,8}$/;
const RUN = /^(?:0x)?(?:[0-9a-fA-F]{2})+[0-9a-fA-F]?$/;
const OFFSET = /^(?:0x)?[0-9a-fA-F]{6,16}:?$/;
const BYTES_A_LINE = 64;

function parseLine(text: string): Line {
  if (text.trim() === '*') return 'repeat';
  const tokens = [...text.matchAll(/[^\s,;{}"'`]+/g)].map(({ index, 0: token }) => ({ index, token }));
  return withOffset(text, tokens) ?? bytesAtEnd(text, tokens) ?? runAtEnd(text, tokens);
}

/** Lines of eight digits look like offsets, but are none when nothing stands behind any of them. */
function parseWithoutOffset(text: string): Line {
  const tokens = [...text.matchAll(/[^\s,;{}"'`]+/g)].map(({ index, 0: token }) => ({ index, token }));
  return bytesAtEnd(text, tokens) ?? runAtEnd(text, tokens);
}

interface Token {
  index: number;
  token: string;
}

/** An offset or address, then bytes or words; ASCII behind two blanks or `|` does not count. */
function withOffset(text: string, tokens: readonly Token[]): HexLine | null {
  for (let at = 0; at < Math.min(tokens.length, MOST_PREFIX_TOKENS); at++) {
    const { token, index } = tokens[at] ?? { token: '', index: 0 };
    if (!OFFSET.test(token)) continue;
    const hasColon = token.endsWith(':');
    const groups = groupsFrom(text, tokens, at + 1, hasColon);
    const isEnd = at === tokens.length - 1 && /^[0-9a-fA-F]{6,8}$/.test(token) && text.trim() === token;
    if (groups.length === 0 && !isEnd) continue;
    const size = groups[0]?.length;
    return {
      digits: groups.join(''),
      shape: `${shapeOf(text.slice(0, index), '')?.prefix ?? ''}@`,
      offset: token.replace(/:$/, ''),
      wordSize: hasColon ? 1 : size === 4 ? 2 : size === 8 ? 4 : 1,
    };
  }
  return null;
}

const MOST_PREFIX_TOKENS = 16;

function groupsFrom(text: string, tokens: readonly Token[], first: number, hasColon: boolean): string[] {
  const groups: string[] = [];
  let end: number | null = null;
  for (const { token, index } of tokens.slice(first, first + BYTES_A_LINE)) {
    const isWide = end !== null && /^\s{2,}/.test(text.slice(end, index));
    const size = groups[0]?.length ?? token.length;
    // A wide gap is the middle of a line of single bytes, or the column of ASCII.
    if (isWide && (hasColon || size !== 2 || groups.length !== 8)) break;
    if (!GROUP.test(token) || token.length > size) break;
    groups.push(token);
    end = index + token.length;
  }
  return groups;
}

/** "I (12) log: 7f 45 4c 46", "0x7f, 0x45,": single bytes up to the end of the line. */
function bytesAtEnd(text: string, tokens: readonly Token[]): HexLine | null {
  let first = tokens.length;
  while (first > 0 && BYTE.test(tokens[first - 1]?.token ?? '')) first--;
  if (first === tokens.length) return null;
  const bytes = tokens.slice(first);
  const prefix = shapeOf(text.slice(0, bytes[0]?.index).replace(/0x$/, ''), '')?.prefix;
  if (prefix === undefined) return null;
  return {
    digits: bytes.map(({ token }) => token.replace(/^0x/, '')).join(''),
    shape: `${prefix.trim()} bytes`,
    offset: null,
    wordSize: 1,
  };
}

/** One run of digits at the end of the line; with ":" between bytes too. */
function runAtEnd(text: string, tokens: readonly Token[]): HexLine | null {
  const { token = '', index = 0 } = tokens.at(-1) ?? {};
  const plain = /^(?:[0-9a-fA-F]{2}[:-])+[0-9a-fA-F]{2}$/.test(token) ? token.replaceAll(/[:-]/g, '') : token;
  const digits = RUN.test(plain)
    ? plain.replace(/^0x/, '')
    : (/(?:^|[^0-9a-zA-Z])([0-9a-fA-F]{16,})$/.exec(plain)?.[1] ?? '');
  if (digits.length < 2) return null;
  const before = text.slice(0, index) + plain.slice(0, plain.length - digits.length).replace(/0x$/, '');
  const prefix = shapeOf(before, '')?.prefix;
  return prefix === undefined ? null : { digits, shape: `${prefix.trim()} run`, offset: null, wordSize: 1 };
}

function commonShape(lines: readonly Line[]): string | null {
  const sizes = new Map<string, number>();
  let best: string | null = null;
  for (const line of lines) {
    if (!isHex(line)) continue;
    const size = (sizes.get(line.shape) ?? 0) + line.digits.length;
    sizes.set(line.shape, size);
    if (best === null || size > (sizes.get(best) ?? 0)) best = line.shape;
  }
  return best;
}

/** Offsets that fit the lines say where each belongs, also behind lost lines; null when they do not. */
function readByOffset(lines: readonly Line[]): Omit<DecodedLines, 'leftOut'> | null {
  const numbered = lines.filter(isHex);
  if (numbered.length < 2 || numbered.some(({ offset }) => offset === null)) return null;
  const radix = [16, 8].find((candidate) => stepsFit(numbered, candidate));
  if (radix === undefined) return null;
  const start = offsetOf(numbered[0], radix);
  const pieces: Piece[] = [];
  let at = 0;
  let last: Uint8Array | null = null;
  let isRepeated = false;
  for (const line of lines) {
    // A lost line shows as a hole between the offsets around it.
    if (line === null || line === 'lost') continue;
    if (line === 'repeat') {
      isRepeated = true;
      continue;
    }
    const place = offsetOf(line, radix) - start;
    if (place < at || place - at > LARGEST_HOLE) return null;
    if (place > at) pieces.push(isRepeated && last ? whole(repeat(last, place - at)) : damaged(place - at));
    isRepeated = false;
    if (line.digits !== '') {
      last = bytesOf(line);
      pieces.push(whole(last));
    }
    at = place + (line.digits === '' ? 0 : (last?.length ?? 0));
  }
  return { pieces: inWords(pieces), lineSize: 16, encoding: 'a hex dump' };
}

const LARGEST_HOLE = 64 * 1024 * 1024;

function stepsFit(lines: readonly HexLine[], radix: number): boolean {
  let fitting = 0;
  let looked = 0;
  for (let index = 1; index < lines.length && looked < 64; index++) {
    const before = lines[index - 1];
    if (!before || before.digits === '') continue;
    looked++;
    const step = offsetOf(lines[index], radix) - offsetOf(before, radix);
    if (step === Math.ceil(before.digits.length / 2)) fitting++;
  }
  return fitting * 2 > looked;
}

function offsetOf(line: HexLine | undefined, radix: number): number {
  return Number.parseInt(line?.offset?.replace(/^0x/, '') ?? '', radix);
}

function repeat(line: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += line.length) bytes.set(line.subarray(0, length - at), at);
  return bytes;
}

function bytesOf({ digits, wordSize }: HexLine): Buffer {
  const bytes = Buffer.from(digits.slice(0, digits.length & ~1), 'hex');
  if (wordSize === 1) return bytes;
  const words = bytes.subarray(0, bytes.length - (bytes.length % wordSize));
  return wordSize === 2 ? words.swap16() : words.swap32();
}

/** `xxd -e` writes words, but does not say so: swapped if only that makes a dump of them. */
function inWords(pieces: Piece[]): Piece[] {
  const head = pieces[0]?.bytes;
  if (!head || head.length % 4 !== 0 || knownLayout(head) !== undefined) return pieces;
  if (knownLayout(Buffer.from(head).swap32()) === undefined) return pieces;
  return pieces.map((piece) => {
    const isWords = piece.bytes !== null && piece.bytes.length % 4 === 0;
    return isWords && piece.bytes ? { ...piece, bytes: Buffer.from(piece.bytes).swap32() } : piece;
  });
}

/** Lines without offsets: one that is shorter than the others, or has half a byte, has lost digits. */
function readInOrder(lines: readonly Line[]): Omit<DecodedLines, 'leftOut'> {
  const texts = lines
    .filter((line) => isHex(line) || line === 'lost')
    .map((line) => (isHex(line) ? line.digits : null));
  const known = texts.filter((text) => text !== null);
  const usual = mostCommonLength(known);
  const lineSize = Math.ceil(usual / 2);
  // Half a byte at each line's end: the text was cut into lines of an odd length.
  if (usual % 2 === 1) {
    const joined = known.join('');
    return {
      pieces: [whole(Buffer.from(joined.slice(0, joined.length & ~1), 'hex'))],
      lineSize,
      encoding: 'hexadecimal text',
      hasHalfByte: joined.length % 2 === 1,
    };
  }
  const pieces = texts.map((digits, index): Piece => {
    const isLast = index === texts.length - 1;
    if (digits === null) return damaged(lineSize);
    if (digits.length % 2 === 0)
      return whole(
        Buffer.from(digits, 'hex'),
        !isLast && digits.length <= LONGEST_NUMBER && digits.length < usual,
      );
    if (isLast) return whole(Buffer.from(digits.slice(0, -1), 'hex'));
    return usual - digits.length <= usual / 4 ? damaged(lineSize) : damaged(Math.ceil(digits.length / 2));
  });
  const hasHalfByte = (known.at(-1)?.length ?? 0) % 2 === 1;
  return { pieces, lineSize, encoding: 'hexadecimal text', hasHalfByte };
}

const LONGEST_NUMBER = 8;

function mostCommonLength(texts: readonly string[]): number {
  const sizes = new Map<number, number>();
  let best = 0;
  for (const { length } of texts) {
    const size = (sizes.get(length) ?? 0) + length;
    sizes.set(length, size);
    if (size > (sizes.get(best) ?? 0)) best = length;
  }
  return best;
}
