import type { Architecture } from '../arch/architecture.js';
import { architectureOfMachine } from '../arch/architectures.js';
import { chipById } from '../arch/chips.js';
import type { ByteReader } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_NOTES, MAX_SEGMENTS } from '../limits.js';
import type { ReportWarning } from '../warning.js';
import { type Gaps, isTouched, presentParts } from './gaps.js';
import type { MemorySegment } from './memory.js';
import { type Note, readNotes } from './notes.js';

/** The structure of an ELF core: its segments with addresses, and its notes in order. */
export interface CoreFile {
  architecture: Architecture;
  /** In the order of the file; cut ones with the bytes that are here, possibly none. */
  segments: FileSegment[];
  /** What is known of the memory: of a segment with a gap, the parts around it. */
  memory: MemorySegment[];
  notes: Note[];
  /** The end of the file is missing. */
  isCut: boolean;
  /** Behind the last segment. */
  end: number;
  /** The first notes, those of the crashed task, were lost. */
  startsWithGap: boolean;
  /** Notes and program headers that were lost on the way. */
  lostNotes: number;
  lostHeaders: number;
}

export interface FileSegment extends MemorySegment {
  /** Number of its program header. */
  index: number;
  /** In the device's memory; of a cut segment fewer bytes are here. */
  size: number;
  /** Bytes inside it were lost on the way. */
  hasGap: boolean;
}

const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;

/**
 * Reads as much of the file as exists. Notes are read before memory: they say what the memory is, and a device that
 * dumps all its memory writes most of them last.
 * @param chipId of the container, for a file whose own header was lost
 * @param gaps by offset in the upload's dump, as `reader.base` counts
 * @param warnings receives a sentence for each missing part
 * @throws UnreadableDump when it is no 32-bit little-endian core of these chips
 */
export function openCoreFile(
  reader: ByteReader,
  gaps: Gaps,
  chipId: number | null,
  warnings: ReportWarning[],
): CoreFile {
  const header = isTouched(gaps, reader.base, HEADER_SIZE) ? lostHeader(reader, chipId) : readHeader(reader);
  const { entries, isCut, lostHeaders } = readProgramHeaders(reader, header, gaps, warnings);
  const cut = entries.filter(({ size, available }) => available < size);
  const places = [
    ...entries.filter(({ isNote }) => isNote),
    ...notesWithoutHeader(reader, entries, header, gaps),
  ].toSorted((a, b) => a.offset - b.offset);
  const notes = readAllNotes(reader, places, gaps, warnings);
  const memory = readMemory(reader, entries, gaps, warnings);
  if (cut.length > 0) warnings.push(cutWarning(cut));
  const begin = reader.base + (places[0]?.offset ?? 0);
  return {
    architecture: header.architecture,
    notes,
    ...memory,
    isCut: isCut || cut.length > 0,
    end: entries.reduce((end, { offset, available }) => Math.max(end, offset + available), HEADER_SIZE),
    lostHeaders,
    lostNotes: places.filter(({ offset, available }) => isTouched(gaps, reader.base + offset, available))
      .length,
    startsWithGap: isTouched(gaps, begin, (notes[0]?.description.base ?? begin + 1) - begin),
  };
}

interface Header {
  architecture: Architecture;
  programHeaderOffset: number;
  programHeaderSize: number;
  programHeaderCount: number;
}

function readHeader(reader: ByteReader): Header {
  if (reader.length < 52) {
    throw new UnreadableDump(`The core ELF is cut inside its header: ${reader.length} of 52 bytes.`);
  }
  const header = reader.slice('core ELF header', 0, 52);
  if (header.u32() !== 0x464c457f)
    throw new UnreadableDump('The dump announces an ELF core, but no ELF stands in it.');
  if (header.u8() !== 1 || header.u8() !== 1) {
    throw new UnreadableDump('The core ELF is not a 32-bit little-endian one, as every ESP32 writes it.');
  }
  header.seek(16);
  const type = header.u16();
  const machine = header.u16();
  if (type !== ET_CORE) {
    throw new UnreadableDump('This ELF is no core dump (its type is not ET_CORE); is it the firmware?');
  }
  const architecture = architectureOfMachine(machine);
  if (!architecture)
    throw new UnreadableDump(
      `The core ELF is of machine 0x${machine.toString(16)}, neither Xtensa nor RISC-V.`,
    );
  header.seek(28);
  const programHeaderOffset = header.u32();
  header.seek(42);
  return {
    architecture,
    programHeaderOffset,
    programHeaderSize: header.u16(),
    programHeaderCount: header.u16(),
  };
}

/** IDF's header is always the same, except for the architecture and the number of program headers. */
function lostHeader(reader: ByteReader, chipId: number | null): Header {
  const architecture = chipId === null ? null : chipById(chipId)?.architecture;
  if (architecture == null) throw new UnreadableDump('The ELF header of the dump was lost on the way.');
  let count = 0;
  for (let at = HEADER_SIZE; at + PROGRAM_HEADER_SIZE <= reader.length; at += PROGRAM_HEADER_SIZE) {
    const entry = reader.slice('program header', at, PROGRAM_HEADER_SIZE);
    const [type, , address, physical, size, memory] = Array.from({ length: 6 }, () => entry.u32());
    // The first one may be lost too.
    const isHeader = (type === PT_LOAD || type === PT_NOTE) && address === physical && size === memory;
    if (!isHeader && at > HEADER_SIZE) break;
    count++;
  }
  return {
    architecture,
    programHeaderOffset: HEADER_SIZE,
    programHeaderSize: PROGRAM_HEADER_SIZE,
    programHeaderCount: count,
  };
}

interface Entry {
  index: number;
  isNote: boolean;
  offset: number;
  address: number;
  size: number;
  /** Bytes of it that are in the file. */
  available: number;
  executable: boolean;
}

function readProgramHeaders(reader: ByteReader, header: Header, gaps: Gaps, warnings: ReportWarning[]) {
  if (header.programHeaderSize < PROGRAM_HEADER_SIZE) {
    throw new UnreadableDump(
      `The core ELF has program headers of ${header.programHeaderSize} bytes instead of 32.`,
    );
  }
  const entries: Entry[] = [];
  let lostHeaders = 0;
  const count = Math.min(header.programHeaderCount, MAX_SEGMENTS);
  for (let index = 0; index < count; index++) {
    const at = header.programHeaderOffset + index * header.programHeaderSize;
    if (at + PROGRAM_HEADER_SIZE > reader.length) {
      warnings.push({
        code: 'DUMP_CUT',
        message: `The dump is cut: only ${index} of ${header.programHeaderCount} program headers are readable.`,
      });
      return { entries, isCut: true, lostHeaders };
    }
    if (isTouched(gaps, reader.base + at, PROGRAM_HEADER_SIZE)) {
      lostHeaders++;
      continue;
    }
    const entry = reader.slice('program header', at, PROGRAM_HEADER_SIZE);
    const type = entry.u32();
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const offset = entry.u32();
    const address = entry.u32();
    entry.skip(4);
    const size = entry.u32();
    entry.skip(4);
    const executable = (entry.u32() & PF_X) !== 0;
    const available = Math.min(size, Math.max(0, reader.length - offset));
    entries.push({ index, isNote: type === PT_NOTE, offset, address, size, available, executable });
  }
  return { entries, isCut: false, lostHeaders };
}

function cutWarning(cut: readonly Entry[]): ReportWarning {
  const [first] = cut;
  const others = cut.length > 1 ? `, and ${cut.length - 1} more are` : ' is';
  const missing = cut.reduce((sum, { size, available }) => sum + size - available, 0);
  return {
    code: 'DUMP_CUT',
    message: `Segment ${first?.index} at 0x${first?.address.toString(16)}${others} cut: ${missing} bytes are missing.`,
  };
}

function readAllNotes(
  reader: ByteReader,
  places: readonly Pick<Entry, 'offset' | 'available'>[],
  gaps: Gaps,
  warnings: ReportWarning[],
): Note[] {
  const notes: Note[] = [];
  for (const { offset, available } of places) {
    const body = reader.slice('notes', Math.min(offset, reader.length), available);
    for (const note of readNotes(body, gaps)) {
      if (notes.length >= MAX_NOTES) {
        warnings.push({
          code: 'LIMIT_REACHED',
          message: `Only the first ${MAX_NOTES} notes were read: there are too many.`,
        });
        return notes;
      }
      notes.push(note);
    }
  }
  return notes;
}

/**
 * Where a program header was lost, its notes are looked for where IDF writes them: behind the headers, and behind the
 * memory.
 */
function notesWithoutHeader(reader: ByteReader, entries: readonly Entry[], header: Header, gaps: Gaps) {
  const { programHeaderOffset, programHeaderSize, programHeaderCount } = header;
  const tableEnd = programHeaderOffset + programHeaderSize * programHeaderCount;
  if (!isTouched(gaps, reader.base + programHeaderOffset, tableEnd - programHeaderOffset)) return [];
  const found: Pick<Entry, 'offset' | 'available'>[] = [];
  const addUnlessKnown = (start: number, end: number) => {
    if (end > start && entries.every(({ offset }) => offset !== start))
      found.push({ offset: start, available: end - start });
  };
  const starts = entries.map(({ offset }) => offset);
  const ends = entries.map(({ offset, available }) => offset + available);
  addUnlessKnown(tableEnd, Math.min(reader.length, ...starts));
  addUnlessKnown(Math.max(tableEnd, ...ends), reader.length);
  return found;
}

/** Segments with their addresses; each that does not fit is a warning. */
function readMemory(
  reader: ByteReader,
  entries: readonly Entry[],
  gaps: Gaps,
  warnings: ReportWarning[],
): Pick<CoreFile, 'segments' | 'memory'> {
  const segments: FileSegment[] = [];
  const memory: MemorySegment[] = [];
  for (const { index, isNote, offset, address, size, available, executable } of entries) {
    if (isNote) continue;
    if (address + available > 2 ** 32) {
      warnings.push({
        code: 'SEGMENT_LEFT_OUT',
        message: `Segment ${index} reaches beyond the end of the address space and was left out.`,
      });
      continue;
    }
    const { bytes, base } = reader.slice('segment', Math.min(offset, reader.length), available);
    const parts = presentParts(gaps, base, available);
    segments.push({ index, address, size, bytes, executable, hasGap: isTouched(gaps, base, available) });
    for (const [start, end] of parts)
      memory.push({ address: address + start, bytes: bytes.subarray(start, end), executable });
  }
  return { segments, memory };
}
