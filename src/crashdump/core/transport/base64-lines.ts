import { keyOf, type LineShape, lineReader, shapeOf } from './line-shape.js';
import { type DecodedLines, damaged, type Piece, whole } from './pieces.js';
import { START_MARKER } from './plain-text.js';
import type { Section } from './sections.js';

/** The usual alphabet and that of URLs; padding may stand after each write, in the middle too. */
const RUN = /[A-Za-z0-9+/_=-]{16,}/g;
const CHARACTERS = /[A-Za-z0-9+/_=-]+/;
const TOKEN = /^[A-Za-z0-9+/_-]+(?:={1,2}[A-Za-z0-9+/_-]+)*={0,2}$/;
const FOREIGN = /[^A-Za-z0-9+/_=-]/g;

/**
 * The base64 lines of a section, whatever stands before and behind them; null without any. Every write of the device
 * is encoded and padded by itself.
 */
export function readBase64Lines(section: Section): DecodedLines | null {
  const lines = section.lines.flatMap(splitRuns);
  const shape = commonShape(lines);
  if (shape === null) return null;
  const bodies = bodiesOf(lines, shape, section.startLine);
  const length = usualLength(bodies);
  // Wrapped at a length that cuts groups of four: one long text.
  if (length % 4 !== 0) return decodeJoined(bodies, length);
  const pieces = decodeLines(bodies, length);
  if (pieces.every(({ bytes }) => bytes === null)) return null;
  const encoding = pieces.length === 1 ? 'base64 text' : 'base64 lines';
  return { pieces, lineSize: (length / 4) * 3, encoding, leftOut: others(lines) - pieces.length };
}

function others(lines: readonly string[]): number {
  return lines.filter((line) => line.trim() !== '').length;
}

/** Some senders write blanks where lines ended. */
function splitRuns(line: string): string[] {
  return (line.match(RUN)?.length ?? 0) > 1 && !line.includes('{') ? line.split(/\s+/) : [line];
}

/** The shape that most of the base64 has. */
function commonShape(lines: readonly string[]): LineShape | null {
  const sizes = new Map<string, { shape: LineShape; size: number }>();
  let best: { shape: LineShape; size: number } | null = null;
  for (const line of lines) {
    const run = longestRun(line);
    if (run === null) continue;
    const shape = shapeOf(line.slice(0, run.start), line.slice(run.start + run.length));
    if (shape === null || sizes.size >= MOST_SHAPES) continue;
    const key = keyOf(shape);
    const entry = sizes.get(key) ?? { shape, size: 0 };
    entry.size += run.length;
    sizes.set(key, entry);
    if (best === null || entry.size > best.size) best = entry;
  }
  return best?.shape ?? null;
}

const MOST_SHAPES = 4096;

function longestRun(line: string): { start: number; length: number } | null {
  let longest: { start: number; length: number } | null = null;
  for (const { index, 0: run } of line.matchAll(RUN)) {
    if (!TOKEN.test(run)) continue;
    if (longest === null || run.length > longest.length) longest = { start: index, length: run.length };
  }
  return longest;
}

/** A line's payload: `text` when it looks whole; what stands in its place otherwise; null for a line of the log. */
type Body = { text: string } | { rest: string } | null;

function bodiesOf(lines: readonly string[], shape: LineShape, startLine: string | null): Body[] {
  const shapes = [shape, ...(startLine === null ? [] : [shapeOfMarker(startLine)])].filter((s) => s !== null);
  const readers = [...shapes, { prefix: '', suffix: '' }].map((known) => lineReader(known, CHARACTERS));
  return lines.map((line): Body => {
    const readings = readers.map((read) => read(line)).filter((reading) => reading !== null);
    const text = readings.map(({ payload }) => payload).find((found) => found !== null && TOKEN.test(found));
    if (text != null) return { text };
    const rest = readings[0]?.rest.trim() ?? '';
    return rest === '' ? null : { rest };
  });
}

function shapeOfMarker(line: string): LineShape | null {
  let start = line.indexOf(START_MARKER);
  let end = start + START_MARKER.length;
  if (start > 0 && line[start - 1] === ' ') start--;
  while (line[start - 1] === '=') start--;
  if (line[end] === ' ') end++;
  while (line[end] === '=') end++;
  return shapeOf(line.slice(0, start), line.slice(end));
}

/** The length of full lines: that of most characters. */
function usualLength(bodies: readonly Body[]): number {
  const sizes = new Map<number, number>();
  let best = 0;
  for (const body of bodies) {
    if (body === null || !('text' in body)) continue;
    const { length } = body.text;
    const size = (sizes.get(length) ?? 0) + length;
    sizes.set(length, size);
    if (size > (sizes.get(best) ?? 0)) best = length;
  }
  return best;
}

function decodeLines(bodies: readonly Body[], length: number): Piece[] {
  const pieces: Piece[] = [];
  const size = (length / 4) * 3;
  const last = bodies.findLastIndex((body) => body !== null && 'text' in body);
  for (let index = 0; index < bodies.length; index++) {
    const body = bodies[index] ?? null;
    if (body === null) continue;
    if ('text' in body) {
      const { text } = body;
      const bytes = decodeWrites(text, index === last);
      const isShort = text.length < length;
      if (bytes !== null) pieces.push(whole(bytes, isShort && text.length <= LONGEST_WORD));
      else if (text.length * 2 >= length) pieces.push(damaged(isShort ? guess(text, size) : size));
      else pieces.push(damaged(0, null, true));
      continue;
    }
    const interleaved = withoutLog(body.rest, bodies, index, length);
    if (interleaved !== null) {
      pieces.push(damaged(size, interleaved.bytes));
      index = interleaved.until;
    } else if (isGarbled(body.rest, length)) pieces.push(damaged(guess(body.rest, size)));
  }
  return pieces;
}

const LONGEST_WORD = 24;

/** The likely size of a line that lost some characters. */
function guess(text: string, full: number): number {
  const size = Math.ceil(text.trim().length / 4) * 3;
  return full - size <= full / 4 ? full : size;
}

/** Null where a write is not a whole number of bytes. */
function decodeWrites(text: string, isLast: boolean): Uint8Array | null {
  const writes = text.match(/[^=]+=*/g) ?? [];
  const parts: Buffer[] = [];
  for (const [index, write] of writes.entries()) {
    const isEnd = isLast && index === writes.length - 1;
    const digits = write.replace(/=+$/, '').length;
    if (digits % 4 === 1 || (write.length % 4 !== 0 && !(isEnd && digits === write.length))) return null;
    parts.push(Buffer.from(write, 'base64'));
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/**
 * A line whose beginning stands before a line of the log, and whose end on the next line: together they have the
 * length of a line.
 */
function withoutLog(rest: string, bodies: readonly Body[], index: number, length: number) {
  const beginning = /^[A-Za-z0-9+/_-]+/.exec(rest)?.[0] ?? '';
  let until = index + 1;
  while (until < bodies.length && until <= index + MOST_LOG_LINES && !isPayload(bodies[until])) until++;
  const end = bodies[until];
  if (beginning === '' || !end || !('text' in end) || end.text.length >= length) return null;
  const kept = length - end.text.length;
  // Of the log line, a letter or a word without a blank may have been taken for the beginning.
  if (beginning.length < kept || beginning.length > kept + LONGEST_WORD) return null;
  const text = beginning.slice(0, kept) + end.text;
  return { bytes: decodeWrites(text, false), until };
}

const MOST_LOG_LINES = 16;

function isPayload(body: Body | undefined): boolean {
  return body != null && 'text' in body;
}

/** A line of the dump with bytes that are not base64, and not one of the log: those have blanks. */
function isGarbled(rest: string, length: number): boolean {
  const text = rest.trim();
  if (text.length * 2 < length || text.length > length * 2) return false;
  return (text.match(FOREIGN)?.length ?? 0) * 8 <= text.length && !/\S\s+\S+\s+\S/.test(text);
}

/** Lines of a length that cuts groups of four: a damaged one stands for as many characters as the others have. */
function decodeJoined(bodies: readonly Body[], length: number): DecodedLines | null {
  const last = bodies.findLastIndex((body) => body !== null && 'text' in body);
  const parts: string[] = [];
  const isKnown: boolean[] = [];
  for (const [index, body] of bodies.entries()) {
    if (body === null) continue;
    const text = 'text' in body ? body.text : null;
    if (text !== null && (text.length === length || index === last || bodies.length === 1)) {
      parts.push(text);
      isKnown.push(true);
    } else if (text !== null ? text.length * 2 >= length : 'rest' in body && isGarbled(body.rest, length)) {
      parts.push('A'.repeat(length));
      isKnown.push(false);
    }
  }
  const joined = parts.join('');
  const bytes = decodeWrites(joined, true);
  const decoded = bytes ?? Buffer.from(joined.replaceAll('=', ''), 'base64');
  if (isKnown.every(Boolean))
    return { pieces: [whole(decoded)], lineSize: decoded.length, encoding: 'base64 text', leftOut: 0 };
  return { pieces: cutByLines(decoded, parts, isKnown), lineSize: 1, encoding: 'base64 lines', leftOut: 0 };
}

/** Cuts the bytes at the damaged lines; bytes that a damaged character is part of belong to it. */
function cutByLines(bytes: Uint8Array, parts: readonly string[], isKnown: readonly boolean[]): Piece[] {
  const pieces: Piece[] = [];
  let characters = 0;
  let done = 0;
  for (const [index, part] of parts.entries()) {
    const end = characters + part.length;
    if (!isKnown[index]) {
      const from = Math.floor((characters * 3) / 4);
      const to = Math.min(Math.ceil((end * 3) / 4), bytes.length);
      if (from > done) pieces.push(whole(bytes.subarray(done, from)));
      pieces.push(damaged(to - Math.max(from, done)));
      done = to;
    }
    characters = end;
  }
  if (done < bytes.length) pieces.push(whole(bytes.subarray(done)));
  return pieces;
}
