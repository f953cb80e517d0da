import type { Architecture } from '../arch/architecture.js';
import { type ByteReader, Malformed } from '../bytes.js';
import { printable } from '../printable.js';
import { type Gaps, isTouched, NO_GAPS } from './gaps.js';

/** The note types of an ESP core ELF (ESP-IDF core_dump_elf.h; TASK_INFO is written by converters). */
export const NOTE = {
  registers: 1,
  extraInfo: 677,
  taskInfo: 678,
  panicDetails: 679,
  coreDumpInfo: 8266,
} as const;

export interface Note {
  type: number;
  description: ByteReader;
}

/**
 * Notes of one PT_NOTE segment, in order; ends without an error at the first note that does not fit.
 * @param gaps notes with missing bytes are left out; where the head of one is missing, nothing behind it is known
 */
export function* readNotes(segment: ByteReader, gaps: Gaps = NO_GAPS): Generator<Note> {
  let index = 0;
  while (segment.remaining >= 12) {
    const start = segment.base + segment.position;
    if (isTouched(gaps, start, 12)) {
      const next = nextNote(segment, gaps);
      if (next === null) return;
      segment.seek(next);
      continue;
    }
    try {
      const nameSize = segment.u32();
      const descriptionSize = segment.u32();
      const type = segment.u32();
      // IDF before v5 counts the padding in namesz, later versions do not: aligned up, both are the same.
      segment.skip(nameSize);
      segment.align(4);
      const description = segment.split(`note ${index} (type ${type})`, descriptionSize);
      // The last note of a segment may have no padding.
      segment.skip(Math.min(-descriptionSize & 3, segment.remaining));
      index++;
      if (!isTouched(gaps, start, segment.base + segment.position - start)) yield { type, description };
    } catch (error) {
      if (error instanceof Malformed) return;
      throw error;
    }
  }
}

/** Behind a gap, the next note is found by the names that IDF gives: its head is 12 bytes before. */
function nextNote(segment: ByteReader, gaps: Gaps): number | null {
  const text = Buffer.from(segment.bytes.buffer, segment.bytes.byteOffset, segment.length);
  const found = NAMES.map((name) => text.indexOf(name, segment.position + 12, 'latin1') - 12).filter(
    (at) => at >= segment.position && !isTouched(gaps, segment.base + at, 16),
  );
  return found.length === 0 ? null : Math.min(...found);
}

const NAMES = ['CORE\0', 'ESP_CORE_DUMP_INFO\0', 'ESP_EXTRA_INFO\0', 'EXTRA_INFO\0', 'ESP_PANIC_DETAILS\0'];

/** ESP_CORE_DUMP_INFO: the version word, then the app ELF's SHA-256 as hexadecimal text, possibly shortened. */
export function readCoreDumpInfo(
  description: ByteReader,
): { versionWord: number; appElfSha256: string | null } | null {
  // The peer's converter writes the same type with four bytes, for the chip revision.
  if (description.length < 5) return null;
  const versionWord = description.u32();
  const digits = /^[0-9a-f]*/i.exec(textUntilNul(description))?.[0].toLowerCase() ?? '';
  // Zeros are what a build has into which nobody wrote its hash.
  return { versionWord, appElfSha256: /[^0]/.test(digits) ? digits.slice(0, 64) : null };
}

export function readPanicDetails(description: ByteReader): string | null {
  const text = printable(textUntilNul(description)).trim();
  return text === '' ? null : text;
}

/** TASK_INFO: index, flags, TCB address, stack start, stack length, name. Any flag means that a part is corrupted. */
export function readTaskInfo(description: ByteReader): { tcbAddress: number; isBroken: boolean } | null {
  if (description.length < 12) return null;
  description.skip(4);
  const flags = description.u32();
  return { tcbAddress: description.u32(), isBroken: flags !== 0 };
}

export interface ExtraInfo {
  crashedTcb: number | null;
  inInterrupt: boolean | null;
  /** Special registers by their number, in the order of the note. */
  registers: ReadonlyMap<number, number>;
}

/** Stands for the crashed task's handle when that task was corrupted. */
const BROKEN_TASK = 0xdeadbeef;

/**
 * EXTRA_INFO (core_dump_port.c of each architecture): the crashed TCB, special registers on some architectures, and
 * since IDF 5.1 whether an interrupt handler crashed.
 */
export function readExtraInfo(description: ByteReader, architecture: Architecture): ExtraInfo | null {
  if (description.length < 4) return null;
  const handle = description.u32();
  const crashedTcb = handle === BROKEN_TASK || handle === 0 ? null : handle;
  const registers = architecture.readExtraRegisters(description);
  const inInterrupt = description.remaining >= 4 ? description.u32() !== 0 : null;
  return { crashedTcb, inInterrupt, registers };
}

function textUntilNul(reader: ByteReader): string {
  const bytes = reader.take(reader.remaining);
  const end = bytes.indexOf(0);
  return new TextDecoder('utf-8').decode(end < 0 ? bytes : bytes.subarray(0, end));
}
