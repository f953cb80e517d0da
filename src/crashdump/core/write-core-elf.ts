import type { Architecture } from '../arch/architecture.js';
import { Malformed, plainBytes } from '../bytes.js';
import { UnreadableDump } from '../errors.js';
import { MAX_SEGMENTS } from '../limits.js';
import { openContainer } from './container.js';
import type { Dump } from './core.js';
import { openCoreFile } from './elf-core-file.js';
import { NOTE, type Note } from './notes.js';
import type { Container } from './payload.js';
import { readDump } from './read-dump.js';

const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_WRITE = 6;
const EXECUTE = 1;

/**
 * The core file that GDB opens: the ELF in the dump as the device wrote it, or, for a dump in the old binary format or
 * one that is cut or has gaps, an ELF made of its tasks and memory.
 * @param upload the dump in any of its formats
 * @throws UnreadableDump, and nothing else, when it is no core dump
 */
export function toCoreElf(upload: Uint8Array): Uint8Array {
  try {
    const container = openContainer(plainBytes(upload));
    // Refuses what has no task, as the report does.
    const dump = readDump(container, null);
    return wholeElf(container) ?? buildElf(dump, container);
  } catch (error) {
    if (error instanceof Malformed) throw new UnreadableDump(`The core dump is broken: ${error.message}.`);
    throw error;
  }
}

/** Null when a part of it is missing. Padding and checksum of the container are left out. */
function wholeElf({ payload, gaps, chipId }: Container): Uint8Array | null {
  if (payload.kind !== 'elf' || gaps.length > 0) return null;
  const file = openCoreFile(payload.reader, gaps, chipId, []);
  return file.isCut ? null : plainBytes(payload.reader.bytes.subarray(0, file.end));
}

function buildElf(dump: Dump, { payload, gaps, chipId, versionWord }: Container): Uint8Array {
  const { architecture } = dump;
  const notes =
    payload.kind === 'elf'
      ? openCoreFile(payload.reader, gaps, chipId, []).notes.map(copyOf)
      : notesOf(dump, versionWord);
  const loads = dump.memory.segments.slice(0, MAX_SEGMENTS - 1);
  const bodies = [Buffer.concat(notes), ...loads.map(({ bytes }) => bytes)];
  const headers: Buffer[] = [fileHeader(architecture, bodies.length)];
  let offset = HEADER_SIZE + bodies.length * PROGRAM_HEADER_SIZE;
  for (const [index, { length }] of bodies.entries()) {
    const load = index === 0 ? null : (loads[index - 1] ?? null);
    const flags = load === null ? 0 : READ_WRITE | (load.executable ? EXECUTE : 0);
    const address = load?.address ?? 0;
    headers.push(
      words(load === null ? PT_NOTE : PT_LOAD, offset, address, address, length, length, flags, 0),
    );
    offset += length;
  }
  return Buffer.concat([...headers, ...bodies]);
}

/** IDF core_dump_elf.c: elf_write_file_header. */
function fileHeader({ elfMachine }: Architecture, programHeaders: number): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  // Class 32, little-endian, version 1.
  header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  header.writeUInt16LE(ET_CORE, 16);
  header.writeUInt16LE(elfMachine, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(HEADER_SIZE, 28);
  header.writeUInt16LE(HEADER_SIZE, 40);
  header.writeUInt16LE(PROGRAM_HEADER_SIZE, 42);
  header.writeUInt16LE(programHeaders, 44);
  return header;
}

/** What a dump in the old format says without notes: registers of each task, the version, the crashed task. */
function notesOf(dump: Dump, versionWord: number | null): Buffer[] {
  const { architecture, tasks, exception, crashedTcb } = dump;
  const info = Buffer.alloc(72);
  info.writeUInt32LE(versionWord ?? 1, 0);
  return [
    ...tasks.map((task) =>
      note('CORE', NOTE.registers, architecture.writeRegisterNote(task.tcbAddress, task.registers)),
    ),
    note('ESP_CORE_DUMP_INFO', NOTE.coreDumpInfo, info),
    note(
      'EXTRA_INFO',
      NOTE.extraInfo,
      words(crashedTcb ?? tasks[0]?.tcbAddress ?? 0, ...architecture.writeExtraRegisters(exception)),
    ),
  ];
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [NOTE.registers, 'CORE'],
  [NOTE.coreDumpInfo, 'ESP_CORE_DUMP_INFO'],
  [NOTE.extraInfo, 'ESP_EXTRA_INFO'],
  [NOTE.panicDetails, 'ESP_PANIC_DETAILS'],
  [NOTE.taskInfo, 'TASK_INFO'],
]);

function copyOf({ type, description }: Note): Buffer {
  return note(NAMES.get(type) ?? 'ESP', type, description.bytes);
}

function note(name: string, type: number, description: Uint8Array): Buffer {
  const title = Buffer.from(`${name}\0`, 'latin1');
  return Buffer.concat([
    words(title.length, description.length, type),
    title,
    Buffer.alloc(-title.length & 3),
    description,
    Buffer.alloc(-description.length & 3),
  ]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}
