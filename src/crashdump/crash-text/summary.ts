import { chipByName } from '../arch/chips.js';
import { printable } from '../printable.js';
import type { CrashText, PrintedCall, PrintedMemory } from './crash-text.js';

/**
 * Reads the JSON of a summary, as a device without a core-dump partition sends it: `reason`, `task`, `pc`, `backtrace`,
 * `registers`, `elf_sha256`, `firmware_version`, `chip`, `stack`, `log`. A field of another form counts as missing.
 * Numbers are numbers, or text: "0x42009351", eight hexadecimal digits, or decimal digits.
 * @returns null for other text: a summary has at least one of `reason`, `pc` and `backtrace`
 */
export function readSummary(text: string): CrashText | null {
  const fields = readObject(text);
  if (fields === null) return null;
  const reason = line(fields.reason, MAX_REASON);
  const pc = address(fields.pc);
  const backtrace = addresses(fields.backtrace);
  if (pc === null && backtrace.length === 0) {
    // JSON of anybody may have a reason.
    if (reason === null || Object.keys(fields).some((name) => !FIELDS.has(name))) return null;
  }
  const chip = line(fields.chip, MAX_NAME);
  const registers = readRegisters(fields.registers);
  const stack = readStack(fields.stack);
  const ofChip = chip === null ? null : chipByName(chip);
  const architecture =
    architectureOfRegisters(registers) ??
    ofChip?.architecture.name ??
    (stack.length > 0 ? 'riscv' : architectureOfCalls(pc, backtrace));
  if (pc !== null) registers.set(architecture === 'riscv' ? 'mepc' : 'pc', pc);
  return {
    source: 'summary',
    shape: 'summary',
    architecture,
    chip,
    details: null,
    exceptionName: reason,
    exceptionDetails: [],
    cause: null,
    faultAddress: null,
    watchdogTasks: [],
    cores: [
      {
        core: null,
        task: line(fields.task, MAX_NAME),
        inInterrupt: null,
        registers,
        calls: callsOf(backtrace, architecture),
        callsEnd: fields.corrupted === true ? 'corrupted' : RINGS.has(backtrace.length) ? 'continues' : null,
        stack,
      },
    ],
    appElfSha256: sha(fields.elf_sha256),
    firmwareVersion: line(fields.firmware_version, MAX_NAME),
    logLines: logLines(fields.log),
    isCrash: true,
    warnings: [],
  };
}

/** Each is `bare` while nothing tells the architecture. */
function callsOf(backtrace: readonly number[], architecture: string | null): PrintedCall[] {
  return backtrace.map((pc, index) => ({
    pc,
    sp: null,
    kind: architecture === null ? 'bare' : kindOfCall(index, architecture === 'riscv'),
  }));
}

export function kindOfCall(index: number, isReturnAddress: boolean): PrintedCall['kind'] {
  if (!isReturnAddress) return 'call';
  return index === 0 ? 'fault' : 'return';
}

const FIELDS = new Set([
  ...[
    'reason',
    'task',
    'pc',
    'backtrace',
    'corrupted',
    'registers',
    'elf_sha256',
    'firmware_version',
    'chip',
  ],
  ...['stack', 'log'],
]);
/** More than a server accepts; larger JSON is something else. */
export const MAX_SUMMARY_BYTES = 256 * 1024;
const MAX_REASON = 1024;
const MAX_NAME = 64;
const MAX_CALLS = 128;
/** As many calls fit: of ESP-IDF's summary (esp_core_dump_bt_info_t), and of the device component. */
const RINGS = new Set([16, 32]);
const MAX_REGISTERS = 64;
const MAX_STACK_BYTES = 16 * 1024;
const MAX_LINES = 256;
const MAX_LINE = 512;

function readObject(text: string): Record<string, unknown> | null {
  if (text.length > MAX_SUMMARY_BYTES || !text.trimStart().startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null for what is no text, and for empty text. */
function line(value: unknown, longest: number): string | null {
  if (typeof value !== 'string') return null;
  const text = printable(value.slice(0, longest)).trim();
  return text === '' ? null : text;
}

function address(value: unknown): number | null {
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 && value <= 0xffffffff ? value : null;
  if (typeof value !== 'string') return null;
  const hex = /^(?:0x([0-9a-f]{1,8})|([0-9a-f]{8}))$/i.exec(value.trim());
  if (hex !== null) return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
  return /^\d{1,10}$/.test(value) ? address(Number(value)) : null;
}

function addresses(value: unknown): number[] {
  return Array.isArray(value)
    ? value.slice(0, MAX_CALLS).flatMap((entry: unknown) => address(entry) ?? [])
    : [];
}

const ALIASES: Readonly<Record<string, string>> = {
  exc_cause: 'exccause',
  exc_vaddr: 'excvaddr',
  fp: 's0',
  's0/fp': 's0',
};

function readRegisters(value: unknown): Map<string, number> {
  const registers = new Map<string, number>();
  if (!isObject(value)) return registers;
  for (const [key, entry] of Object.entries(value).slice(0, MAX_REGISTERS)) {
    const number = address(entry);
    const name = key.toLowerCase();
    if (number !== null) registers.set(ALIASES[name] ?? name, number);
  }
  return registers;
}

const OF_RISCV = ['mepc', 'mcause', 'mtval', 'mstatus', 'ra', 's0', 't0', 'gp', 'tp'];
const OF_XTENSA = ['exccause', 'excvaddr', 'ps', 'sar', 'lbeg', 'epc1', 'a8', 'a15'];

function architectureOfRegisters(registers: ReadonlyMap<string, number>): string | null {
  if (OF_RISCV.some((name) => registers.has(name))) return 'riscv';
  return OF_XTENSA.some((name) => registers.has(name)) ? 'xtensa' : null;
}

/** Xtensa's first address lies three bytes before the faulting instruction, RISC-V's is that instruction. */
function architectureOfCalls(pc: number | null, [first]: readonly number[]): string | null {
  if (pc === null || first === undefined) return null;
  if (first === pc) return 'riscv';
  return first === pc - 3 ? 'xtensa' : null;
}

function readStack(value: unknown): PrintedMemory[] {
  if (!isObject(value)) return [];
  const start = address(value.address);
  const { data } = value;
  if (start === null || typeof data !== 'string') return [];
  const bytes = new Uint8Array(
    Buffer.from(data.slice(0, Math.ceil((MAX_STACK_BYTES * 4) / 3)), 'base64'),
  ).subarray(0, Math.min(MAX_STACK_BYTES, 0x100000000 - start));
  return bytes.length === 0 ? [] : [{ address: start, bytes }];
}

function sha(value: unknown): string | null {
  const digits = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return /^[0-9a-f]{8,64}$/.test(digits) && !/^0+$/.test(digits) ? digits : null;
}

/** The newest lines, of one text or of a list. */
function logLines(value: unknown): string[] {
  const lines = typeof value === 'string' ? value.split(/\r?\n/) : Array.isArray(value) ? value : [];
  return lines.slice(-MAX_LINES).flatMap((entry: unknown) => line(entry, MAX_LINE) ?? []);
}
