import type { Architecture } from '../arch/architecture.js';
import { architectureOfMachine } from '../arch/architectures.js';
import { type ByteReader, Malformed } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_NOTES, MAX_SEGMENTS } from '../limits.js';
import type { ReportWarning } from '../warning.js';
import type { MemorySegment } from './memory.js';
import { type Note, readNotes } from './notes.js';

/** The structure of an ELF core: its segments with addresses, and its notes in order. */
export interface CoreFile {
  architecture: Architecture;
  segments: MemorySegment[];
  notes: Note[];
}

const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const PROGRAM_HEADER_SIZE = 32;

/**
 * Reads as much of the file as exists.
 * @param warnings receives a sentence for each missing part
 * @throws UnreadableDump when it is no 32-bit little-endian core of these chips
 */
export function openCoreFile(reader: ByteReader, warnings: ReportWarning[]): CoreFile {
  const header = readHeader(reader);
  return { architecture: header.architecture, ...readSegments(reader, header, warnings) };
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

/** Reads the segments that exist; each missing one is a warning. */
function readSegments(reader: ByteReader, header: Header, warnings: ReportWarning[]) {
  const segments: MemorySegment[] = [];
  const notes: Note[] = [];
  if (header.programHeaderSize < PROGRAM_HEADER_SIZE) {
    throw new UnreadableDump(
      `The core ELF has program headers of ${header.programHeaderSize} bytes instead of 32.`,
    );
  }
  for (let index = 0; index < header.programHeaderCount; index++) {
    try {
      const at = header.programHeaderOffset + index * header.programHeaderSize;
      const entry = reader.slice(`program header ${index}`, at, PROGRAM_HEADER_SIZE);
      const type = entry.u32();
      const offset = entry.u32();
      const address = entry.u32();
      entry.skip(4);
      const fileSize = entry.u32();
      entry.skip(4);
      const executable = (entry.u32() & PF_X) !== 0;
      if (type !== PT_LOAD && type !== PT_NOTE) continue;
      const available = Math.min(fileSize, Math.max(0, reader.length - offset));
      if (available < fileSize) {
        warnings.push({
          code: 'DUMP_CUT',
          message: `Segment ${index} at 0x${address.toString(16)} is cut: ${available} of ${fileSize} bytes are here.`,
        });
      }
      if (available === 0) continue;
      const body = reader.slice(`segment ${index}`, offset, available);
      if (notes.length >= MAX_NOTES || segments.length >= MAX_SEGMENTS) {
        warnings.push({
          code: 'LIMIT_REACHED',
          message: `Only ${index} of ${header.programHeaderCount} segments were read: there are too many.`,
        });
        break;
      }
      if (type === PT_NOTE) {
        for (const note of readNotes(body)) if (notes.push(note) >= MAX_NOTES) break;
      } else if (address + available <= 2 ** 32) segments.push({ address, bytes: body.bytes, executable });
      else
        warnings.push({
          code: 'SEGMENT_LEFT_OUT',
          message: `Segment ${index} reaches beyond the end of the address space and was left out.`,
        });
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      warnings.push({
        code: 'DUMP_CUT',
        message: `Only ${index} of ${header.programHeaderCount} program headers are readable (${error.message}).`,
      });
      break;
    }
  }
  return { segments, notes };
}
