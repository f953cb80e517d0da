import { ByteReader } from '../../bytes.js';
import { CHECKSUM_SIZE, knownLayout, verifyChecksum, withWholeChecksum, wordAt } from '../dump-header.js';
import { type Gap, type Gaps, NO_GAPS } from '../gaps.js';
import { placeLostBytes } from './lost-lines.js';
import { type DecodedLines, damaged, type Piece } from './pieces.js';

/** The bytes of a dump that arrived as lines of text; in a gap they are zero and mean nothing. */
export interface Assembled {
  bytes: Uint8Array;
  gaps: Gaps;
  /** The checksum is right, or nothing is missing where there is none. */
  isWhole: boolean;
  /** Bytes that are here. */
  known: number;
}

/** How many readings of the doubtful lines are tried against the checksum. */
const MOST_TRIES = 24;

/**
 * Joins the lines of a dump. Lost bytes keep their place: the header says how long the dump was, and what could not be
 * read stands for what is missing. A checksum that is right proves a reading.
 * @param hasEnd the text was not cut: what is missing is missing in the middle
 */
export function assemble({ pieces, lineSize }: DecodedLines, hasEnd: boolean): Assembled {
  const [first] = pieces;
  for (const reading of readings(pieces)) {
    const bytes = withWholeChecksum(concat(reading) ?? new Uint8Array(0));
    if (isProven(bytes)) return { bytes, gaps: NO_GAPS, isWhole: true, known: bytes.length };
  }
  const certain = pieces.filter(({ bytes, isDoubtful }) => bytes !== null || !isDoubtful);
  const plain = concat(certain);
  const announced = announcedLength(first?.bytes ?? null, certain);
  if (plain !== null && (announced === null || plain.length >= announced)) {
    return { bytes: plain, gaps: NO_GAPS, isWhole: false, known: plain.length };
  }
  if (plain !== null && announced !== null) {
    const placed = placeLostBytes(plain, announced, lineSize);
    // Where no END line says otherwise, what is missing is the end, unless something has moved.
    if (!hasEnd && placed.isInPlace)
      return { bytes: plain, gaps: NO_GAPS, isWhole: false, known: plain.length };
    return { ...placed, isWhole: false, known: plain.length };
  }
  return { ...keepPlaces(certain, hasEnd ? announced : null), isWhole: false, known: sizeOf(certain) };
}

/** All lines; then without the doubtful ones; with repaired ones; without each doubled one. */
function* readings(pieces: readonly Piece[]): Generator<readonly Piece[]> {
  yield pieces;
  const repaired = pieces
    .filter(({ bytes, isDoubtful, repaired: text }) => bytes !== null || text !== null || !isDoubtful)
    .map((piece) =>
      piece.bytes === null && piece.repaired !== null ? { ...piece, bytes: piece.repaired } : piece,
    );
  yield repaired;
  const suspects = repaired.flatMap((piece, index) =>
    piece.isDoubtful || isDouble(piece, repaired[index - 1]) ? [index] : [],
  );
  if (suspects.length === 0) return;
  yield repaired.filter(({ isDoubtful }) => !isDoubtful);
  // The last line of a dump is short like a word.
  const end = suspects.at(-1);
  yield repaired.filter(({ isDoubtful }, index) => !isDoubtful || index === end);
  const groups = new Map<string, number[]>();
  for (const suspect of suspects) {
    const text = Buffer.from(repaired[suspect]?.bytes ?? []).toString('latin1');
    const group = groups.get(text) ?? [];
    group.push(suspect);
    groups.set(text, group);
  }
  for (const group of [...groups.values()].slice(0, MOST_TRIES)) {
    const same = new Set(group);
    yield repaired.filter((_, index) => !same.has(index));
  }
  for (const suspect of suspects.slice(0, MOST_TRIES)) yield repaired.filter((_, index) => index !== suspect);
  // The words of a log stand behind the dump when the END line is missing.
  for (let last = suspects.length; last > 0 && suspects.length - last < MOST_TRIES; last--)
    yield repaired.slice(0, suspects[last - 1]);
}

function isDouble({ bytes }: Piece, before: Piece | undefined): boolean {
  const other = before?.bytes;
  if (bytes === null || other == null || bytes.length !== other.length) return false;
  return bytes.some((byte) => byte !== 0) && bytes.every((byte, index) => byte === other[index]);
}

function concat(pieces: readonly Piece[]): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (const { bytes } of pieces) {
    if (bytes === null) return null;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Whether the checksum is right, or the dump complete where it has none. */
function isProven(bytes: Uint8Array): boolean {
  const layout = knownLayout(bytes);
  const announced = layout ? wordAt(new ByteReader('header', bytes), 0) : 0;
  if (!layout || announced < layout.headerSize + CHECKSUM_SIZE[layout.checksum]) return false;
  const checksum = verifyChecksum(bytes, layout, announced);
  return checksum === 'ok' || (checksum === 'absent' && announced === bytes.length);
}

/** By the header, when its line is whole and the announced length is possible for so many lines. */
function announcedLength(head: Uint8Array | null, pieces: readonly Piece[]): number | null {
  if (head === null || knownLayout(head) === undefined) return null;
  const announced = wordAt(new ByteReader('header', head), 0);
  // Whoever lost more than half of a dump has not its places either.
  return announced <= sizeOf(pieces) * 2 + 4096 ? announced : null;
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
}

/**
 * Damaged lines keep their place. If their likely sizes do not add up to what is missing, only what stands before the
 * first and behind the last doubtful line has a certain place.
 */
function keepPlaces(pieces: readonly Piece[], announced: number | null): { bytes: Uint8Array; gaps: Gaps } {
  if (announced === null) return layOut(pieces);
  const withoutWords = pieces.filter(({ bytes, isDoubtful }) => bytes === null || !isDoubtful);
  for (const reading of [pieces, withoutWords]) {
    const missing = announced - sizeOf(reading);
    const lost = reading.filter(({ bytes }) => bytes === null);
    const likely = lost.reduce((sum, { size }) => sum + size, 0);
    if (likely === missing) return layOut(reading);
    // One damaged line stands for all that is missing, if that is no more than a line.
    const [only] = lost;
    if (lost.length === 1 && only && missing >= 0 && missing <= only.size)
      return layOut(reading.map((piece) => (piece === only ? { ...piece, size: missing } : piece)));
  }
  const isCertain = ({ bytes, isDoubtful }: Piece) => bytes !== null && !isDoubtful;
  const first = pieces.findIndex((piece) => !isCertain(piece));
  const last = pieces.findLastIndex((piece) => !isCertain(piece));
  const [front, back] = [pieces.slice(0, first), pieces.slice(last + 1)];
  const size = announced - sizeOf(front) - sizeOf(back);
  return layOut(size < 0 ? front : [...front, damaged(size), ...back]);
}

function layOut(pieces: readonly Piece[]): { bytes: Uint8Array; gaps: Gaps } {
  const parts: Uint8Array[] = [];
  const gaps: Gap[] = [];
  let at = 0;
  for (const { bytes, size } of pieces) {
    const part = bytes ?? new Uint8Array(size);
    const before = gaps.at(-1);
    if (bytes === null && before?.end === at) before.end = at + size;
    else if (bytes === null && size > 0) gaps.push({ start: at, end: at + size });
    parts.push(part);
    at += part.length;
  }
  return { bytes: Buffer.concat(parts), gaps };
}
