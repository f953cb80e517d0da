import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { FirmwareSymbol } from '../../src/crashdump/elf/symbols.js';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import type { CfiRow } from '../../src/crashdump/unwind/cfi-row.js';

/** Dumps written the way a device writes them, so that a test reads like the format. */

export function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? word(part) : Buffer.from(part))));
}

export function words(...values: number[]): Uint8Array {
  return bytes(...values);
}

export function padded(content: Uint8Array, length: number, fill = 0): Uint8Array {
  return bytes(content, Buffer.alloc(Math.max(0, length - content.length), fill));
}

function word(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

export interface TaskSpec {
  tcb: number;
  name: string;
  priority: number;
  /** pxStack; where the dumped part begins, with the saved frame, and ends; pxTopOfStack. */
  stackStart: number;
  stackTop: number;
  stackEnd: number;
  savedTop: number;
  /** Lists that the state and the event item are in. */
  stateList: number;
  eventList: number;
  /** xCoreID of a chip with two cores. */
  affinity: number;
  pc: number;
  /** General registers by DWARF number. */
  registers: Record<number, number>;
  ps: number;
  /** Words on the stack by address; the saved frame stands at its start. */
  stack: Record<number, number>;
}

export function aTask(overrides: Partial<TaskSpec> = {}): TaskSpec {
  return {
    tcb: 0x3fc90000,
    name: 'main',
    priority: 1,
    stackStart: 0x3fc91000,
    stackTop: 0x3fc91f00,
    stackEnd: 0x3fc92000,
    savedTop: overrides.stackTop ?? 0x3fc91f00,
    stateList: 0,
    eventList: 0,
    affinity: 0,
    pc: 0x42000010,
    registers: {},
    ps: 0x60020,
    stack: {},
    ...overrides,
  };
}

const TCB_SIZE = 0x154;

export function tcbBytes(task: TaskSpec): Uint8Array {
  const listItem = (container: number) => words(0, 0, 0, task.tcb, container);
  return padded(
    bytes(
      task.savedTop,
      listItem(task.stateList),
      listItem(task.eventList),
      task.priority,
      task.stackStart,
      padded(bytes(task.name), 16),
      task.affinity,
    ),
    TCB_SIZE,
  );
}

function stackBytes(task: TaskSpec, frame: Uint8Array): Uint8Array {
  const stack = Buffer.from(padded(frame, task.stackEnd - task.stackTop));
  for (const [address, value] of Object.entries(task.stack)) {
    stack.writeUInt32LE(value >>> 0, Number(address) - task.stackTop);
  }
  return stack;
}

function general(task: TaskSpec, count: number): number[] {
  return Array.from({ length: count }, (_, index) => task.registers[index] ?? 0);
}

/** XtExcFrame: exit, pc, ps, a0..a15, sar, exccause, excvaddr, lbeg, lend, lcount */
function xtensaFrame(task: TaskSpec, { exccause = 0, excvaddr = 0 } = {}): Uint8Array {
  return words(0xdeadbeef, task.pc, task.ps, ...general(task, 16), 0, exccause, excvaddr, 0, 0, 0);
}

/** RvExcFrame: pc, x1..x31, mstatus, mtvec, mcause, mtval, mhartid */
export function riscvFrame(task: TaskSpec, { mcause = 0, mtval = 0 } = {}): Uint8Array {
  return words(task.pc, ...general(task, 32).slice(1), 0, 0, mcause, mtval, 0);
}

export function note(name: string, type: number, description: Uint8Array): Uint8Array {
  const nameBytes = bytes(name, new Uint8Array(1));
  return bytes(
    nameBytes.length,
    description.length,
    type,
    padded(nameBytes, Math.ceil(nameBytes.length / 4) * 4),
    padded(description, Math.ceil(description.length / 4) * 4),
  );
}

export function riscvRegisterNote(task: TaskSpec): Uint8Array {
  const status = padded(bytes(words(0, 0, 0, 0, 0, 0), task.tcb), 72);
  return note('CORE', 1, padded(bytes(status, words(task.pc, ...general(task, 32).slice(1))), 204));
}

function xtensaRegisterNote(task: TaskSpec): Uint8Array {
  const status = padded(bytes(words(0, 0, 0, 0, 0, 0), task.tcb), 72);
  const specials = padded(words(task.pc, task.ps, 0, 0, 0, 0, 0, 0), 64 * 4);
  return note('CORE', 1, padded(bytes(status, specials, words(...general(task, 16))), 588));
}

export interface CoreSpec {
  machine: 'xtensa' | 'riscv';
  tasks: TaskSpec[];
  exception?: { exccause?: number; excvaddr?: number; mcause?: number; mtval?: number };
  inInterrupt?: boolean;
  crashedTcb?: number;
  panicDetails?: string;
  appElfSha256?: string;
  versionWord?: number;
  /** Further PT_LOADs, after those of the tasks. */
  segments?: { address: number; bytes: Uint8Array }[];
  /** Right behind the first task's stack: what an interrupt stopped. */
  interruptedStack?: { address: number; bytes: Uint8Array };
}

function stackOf(core: CoreSpec, task: TaskSpec): Uint8Array {
  return stackBytes(
    task,
    core.machine === 'xtensa' ? xtensaFrame(task, core.exception) : riscvFrame(task, core.exception),
  );
}

/** EXTRA_INFO as both ports write it. */
function extraInfo(core: CoreSpec): Uint8Array {
  const crashed = core.crashedTcb ?? core.tasks[0]?.tcb ?? 0;
  const inInterrupt = core.inInterrupt ? 1 : 0;
  if (core.machine === 'riscv') return words(crashed, inInterrupt);
  const { exccause = 0, excvaddr = 0 } = core.exception ?? {};
  return bytes(
    padded(words(crashed, 232, exccause, 238, excvaddr, 194, 0x60020, 177, 0x40081234), 37 * 4),
    inInterrupt,
  );
}

export function elfCore(core: CoreSpec): Uint8Array {
  const registerNote = core.machine === 'xtensa' ? xtensaRegisterNote : riscvRegisterNote;
  const lastNotes = [
    note('ESP_CORE_DUMP_INFO', 8266, padded(bytes(core.versionWord ?? 0, core.appElfSha256 ?? ''), 72)),
    note('ESP_EXTRA_INFO', 677, extraInfo(core)),
    ...(core.panicDetails === undefined ? [] : [note('ESP_PANIC_DETAILS', 679, bytes(core.panicDetails))]),
  ];
  const loads = core.tasks.flatMap((task, index) => [
    { address: task.tcb, bytes: tcbBytes(task) },
    { address: task.stackTop, bytes: stackOf(core, task) },
    ...(index === 0 && core.interruptedStack ? [core.interruptedStack] : []),
  ]);
  return elfFile(core.machine, [
    { type: 4, address: 0, bytes: bytes(...core.tasks.map(registerNote)) },
    ...[...loads, ...(core.segments ?? [])].map((segment) => ({ type: 1, ...segment })),
    { type: 4, address: 0, bytes: bytes(...lastNotes) },
  ]);
}

export function elfFile(
  machine: 'xtensa' | 'riscv' | number,
  segments: { type: number; address: number; bytes: Uint8Array }[],
  { type = 4, elfClass = 1, byteOrder = 1, headerSize = 32, count = segments.length, headerOffset = 52 } = {},
): Uint8Array {
  const machineNumber = machine === 'xtensa' ? 0x5e : machine === 'riscv' ? 0xf3 : machine;
  const header = Buffer.alloc(52);
  header.set([0x7f, 0x45, 0x4c, 0x46, elfClass, byteOrder, 1]);
  header.writeUInt16LE(type, 16);
  header.writeUInt16LE(machineNumber, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(headerOffset, 28);
  header.writeUInt16LE(52, 40);
  header.writeUInt16LE(headerSize, 42);
  header.writeUInt16LE(count, 44);
  let offset = 52 + segments.length * 32;
  const headers = segments.map((segment) => {
    const { address, bytes: content } = segment;
    const entry = words(segment.type, offset, address, address, content.length, content.length, 6, 0);
    offset += content.length;
    return entry;
  });
  return bytes(header, ...headers, ...segments.map((segment) => segment.bytes));
}

/** Chip ids as the version word carries them. */
export const CHIP = { esp32: 0, esp32s2: 2, esp32c3: 5, esp32s3: 9 } as const;

export const ELF_VERSIONS = {
  'ELF CRC32 v2': 0x0100,
  'ELF SHA256 v2': 0x0101,
  'ELF CRC32 v2.1': 0x0102,
  'ELF SHA256 v2.1': 0x0103,
  'ELF SHA256 v2.2': 0x0104,
} as const;

export const BIN_VERSIONS = { 'BIN v1': 0x0001, 'BIN v2': 0x0002, 'BIN v2.1': 0x0003 } as const;

/** An ELF core in its container: header, payload, padding to 32 bytes, checksum. */
export function elfDump(
  core: CoreSpec,
  version: keyof typeof ELF_VERSIONS,
  chipId: number,
  chipRevision = 300,
): Uint8Array {
  const versionWord = (chipId << 16) | ELF_VERSIONS[version];
  const payload = elfCore({ versionWord, ...core });
  if (version === 'ELF SHA256 v2.2') return sealed(versionWord, words(chipRevision), payload, 'sha256');
  const rest = version.endsWith('v2.1') ? words(0, 0, 0, chipRevision) : words(0, 0, 0);
  return sealed(versionWord, rest, payload, version.includes('SHA256') ? 'sha256' : 'crc32');
}

export function binDump(
  core: CoreSpec,
  version: keyof typeof BIN_VERSIONS,
  chipId: number,
  chipRevision = 300,
): Uint8Array {
  const versionWord = (chipId << 16) | BIN_VERSIONS[version];
  const tasks = core.tasks.map((task) =>
    bytes(task.tcb, task.stackTop, task.stackEnd, tcbBytes(task), stackOf(core, task)),
  );
  const segments = core.segments ?? [];
  const header = words(core.tasks.length, TCB_SIZE, ...(version === 'BIN v1' ? [] : [segments.length]));
  const rest = version === 'BIN v2.1' ? bytes(header, chipRevision) : header;
  const payload = bytes(
    ...tasks,
    ...segments.map((segment) => bytes(segment.address, segment.bytes.length, segment.bytes)),
  );
  return sealed(versionWord, rest, payload, 'crc32');
}

export function sealed(
  versionWord: number,
  restOfHeader: Uint8Array,
  payload: Uint8Array,
  checksum: 'crc32' | 'sha256',
): Uint8Array {
  const unpadded = 8 + restOfHeader.length + payload.length;
  const covered = Math.ceil(unpadded / 32) * 32;
  const total = covered + (checksum === 'crc32' ? 4 : 32);
  const body = padded(bytes(total, versionWord, restOfHeader, payload), covered);
  const sum = checksum === 'crc32' ? words(crc32(body)) : createHash('sha256').update(body).digest();
  return bytes(body, sum);
}

/** As the console prints it: every write of the device encoded by itself. */
export function base64Log(
  dump: Uint8Array,
  { newline = '\n', end = true, between = [] as string[] } = {},
): Uint8Array {
  const lines = ['ESP-ROM:esp32c3-api1-20210207', '================= CORE DUMP START ================='];
  for (let offset = 0; offset < dump.length; offset += 24) {
    lines.push(Buffer.from(dump.subarray(offset, offset + 24)).toString('base64'));
    const log = between.shift();
    if (log !== undefined) lines.push(log);
  }
  if (end) lines.push('================= CORE DUMP END =================', 'Rebooting...');
  return bytes(lines.join(newline));
}

/** A firmware with only what a test needs. */
export function aFirmware({
  machine = 'riscv' as FirmwareImage['machine'],
  sha256 = 'ab'.repeat(32),
  chips = [] as string[],
  sections = [] as FirmwareImage['sections'],
  symbols = [] as FirmwareSymbol[],
  cfi = {} as Record<string, CfiRow>,
  code = [] as { address: number; bytes: Uint8Array }[],
  members = {} as Record<string, { offset: number; size: number }>,
  /** By "callee caller". */
  tailCalls = {} as Record<string, number[]>,
  notes = [] as string[],
} = {}): FirmwareImage {
  const symbolAt = (address: number) =>
    symbols.find((symbol) => address >= symbol.address && address < symbol.address + symbol.size) ?? null;
  return {
    sha256,
    machine,
    chips,
    sections,
    appDescriptor: null,
    readAt(address, length) {
      const block = code.find(
        (run) => address >= run.address && address + length <= run.address + run.bytes.length,
      );
      return block ? block.bytes.subarray(address - block.address, address - block.address + length) : null;
    },
    symbolAt,
    symbol: (name) => symbols.find((symbol) => symbol.name === name) ?? null,
    cfiAt: (pc) => cfi[symbolAt(pc)?.name ?? ''] ?? null,
    framesAt(pc) {
      const symbol = symbolAt(pc);
      if (!symbol) return [];
      const atLineStart = pc === symbol.address;
      return [
        {
          function: symbol.name,
          file: `/src/${symbol.name}.c`,
          line: 1,
          inlined: false,
          atLineStart,
          arguments: [],
        },
      ];
    },
    tailCallsBetween: (calleePc, returnAddress) =>
      tailCalls[`${symbolAt(calleePc)?.name} ${symbolAt(returnAddress - 1)?.name}`] ?? [],
    lacks: () => [],
    notes: () => notes,
    structMember: (_struct, path) => members[path] ?? null,
  };
}

/** CFA = sp + `frameSize`; ra, when saved, at CFA − 4. */
export function cfiRow(frameSize: number, ra: 'saved' | 'same' | 'undefined'): CfiRow {
  return {
    cfa: { register: 2, offset: frameSize },
    rules: new Map(
      ra === 'same' ? [] : [[1, ra === 'saved' ? { kind: 'offset', offset: -4 } : { kind: 'undefined' }]],
    ),
    returnAddressRegister: 1,
  };
}
