import { ByteReader, Malformed } from '../bytes.js';
import { printable } from '../printable.js';
import type { DeviceIdentity, DeviceValue } from '../report.js';
import { crc32OfBlock } from './block-checksum.js';
import type { DumpMemory, MemorySegment } from './memory.js';

/*
 * The block that the device component (device/esp-idf/coredock) has in every dump: who the device is, named values, the
 * last log lines. block-format.md there describes it. It is found by its magic, so that no ELF is needed.
 */

export interface DeviceBlock {
  /** Null when its checksum is wrong. */
  identity: DeviceIdentity | null;
  values: DeviceValue[];
  logLines: string[];
}

export const NO_DEVICE_BLOCK: DeviceBlock = { identity: null, values: [], logLines: [] };

/**
 * Searches all dumped memory. What is broken in a block is left out; the rest is read.
 *
 * @param appElfSha256 of the firmware that crashed, or its first digits: memory that is not cleared at a restart may still
 *   have the block of the firmware before an update
 */
export function findDeviceBlock(memory: DumpMemory, appElfSha256: string | null): DeviceBlock | null {
  // Segments of a hostile dump may name the same bytes many times.
  let bytes = MOST_SEARCHED_BYTES;
  let blocks = MOST_BLOCKS;
  for (const segment of memory.segments) {
    bytes -= segment.bytes.length;
    if (bytes < 0) return null;
    for (const offset of magicsIn(segment)) {
      const block = readBlock(segment.bytes.subarray(offset));
      if (block === null) continue;
      if (isOf(appElfSha256, block)) return block;
      blocks -= 1;
      if (blocks === 0) return null;
    }
  }
  return null;
}

function isOf(appElfSha256: string | null, { identity }: DeviceBlock): boolean {
  const own = identity?.elfSha256 ?? null;
  return own === null || appElfSha256 === null || own.startsWith(appElfSha256.toLowerCase());
}

const MOST_SEARCHED_BYTES = 32 * 1024 * 1024;
/** Each costs the reading of its log. */
const MOST_BLOCKS = 16;
/** The device aligns the block so. */
const ALIGNMENT = 16;
const MAGIC = Uint8Array.from('COREDOCK\x1ablock\r\n', (character) => character.charCodeAt(0));
const FIRST = MAGIC[0];
const VERSION = 1;
const HEADER_SIZE = 48;
const IDENTITY_SIZE = 260;
const VALUE_SIZE = 64;
/** The largest that the options of the component allow: 16 KiB of log, 64 values. With room for later ones. */
const MAX_BLOCK_SIZE = 256 * 1024;
const MAX_VALUES = 256;
const MAX_LOG_LINES = 1_000;
const MAX_LINE_LENGTH = 1_024;

function* magicsIn({ address, bytes }: MemorySegment): Generator<number> {
  const first = (ALIGNMENT - (address % ALIGNMENT)) % ALIGNMENT;
  for (let at = first; at + HEADER_SIZE <= bytes.length; at += ALIGNMENT) {
    if (bytes[at] === FIRST && MAGIC.every((byte, index) => bytes[at + index] === byte)) yield at;
  }
}

interface Header {
  size: number;
  identityOffset: number;
  valuesOffset: number;
  valueSize: number;
  valueCount: number;
  logOffset: number;
  logSize: number;
}

/** Null when it is none, or of a later version. */
function readBlock(bytes: Uint8Array): DeviceBlock | null {
  const header = readHeader(new ByteReader('device block header', bytes.subarray(0, HEADER_SIZE)));
  if (header === null) return null;
  // A dump that was cut may end within the block.
  const block = new ByteReader('device block', bytes.subarray(0, Math.min(header.size, MAX_BLOCK_SIZE)));
  return {
    identity: unlessMalformed(() => readIdentity(block, header)) ?? null,
    values: readValues(block, header),
    logLines: unlessMalformed(() => readLog(block, header)) ?? [],
  };
}

function readHeader(header: ByteReader): Header | null {
  header.skip(MAGIC.length);
  const version = header.u16();
  const headerSize = header.u16();
  const size = header.u32();
  const identityOffset = header.u16();
  header.skip(2);
  const valuesOffset = header.u16();
  const valueSize = header.u16();
  const valueCount = header.u16();
  const logOffset = header.u16();
  const logSize = header.u32();
  header.skip(4);
  const isWhole = header.u32() === crc32OfBlock(header.bytes.subarray(0, HEADER_SIZE - 4));
  if (!isWhole || version !== VERSION || headerSize < HEADER_SIZE) return null;
  return { size, identityOffset, valuesOffset, valueSize, valueCount, logOffset, logSize };
}

function readIdentity(block: ByteReader, { identityOffset }: Header): DeviceIdentity | null {
  const identity = block.slice('device identity', identityOffset, IDENTITY_SIZE);
  const model = text(identity.take(36));
  const serial = text(identity.take(68));
  const firmwareVersion = text(identity.take(68));
  const project = text(identity.take(36));
  const elfSha256 = hexOf(identity.take(32));
  const bootId = hexOf(identity.take(8));
  const bootCount = identity.u32();
  const resetReason = identity.u32();
  const isWhole = identity.u32() === crc32OfBlock(identity.bytes.subarray(0, IDENTITY_SIZE - 4));
  if (!isWhole) return null;
  return {
    model: model === '' ? null : model,
    serial,
    firmwareVersion,
    project,
    elfSha256: /^0*$/.test(elfSha256) ? null : elfSha256,
    bootId,
    bootCount,
    resetReason: RESET_REASONS[resetReason] ?? 'unknown',
  };
}

/** ESP-IDF: `esp_reset_reason_t`, without `ESP_RST_`, in lower case. */
const RESET_REASONS = [
  ...[
    'unknown',
    'poweron',
    'ext',
    'sw',
    'panic',
    'int_wdt',
    'task_wdt',
    'wdt',
    'deepsleep',
    'brownout',
    'sdio',
  ],
  ...['usb', 'jtag', 'efuse', 'pwr_glitch', 'cpu_lockup'],
];

function readValues(block: ByteReader, { valuesOffset, valueSize, valueCount }: Header): DeviceValue[] {
  if (valueSize < VALUE_SIZE) return [];
  const values: DeviceValue[] = [];
  for (let index = 0; index < Math.min(valueCount, MAX_VALUES); index += 1) {
    const value = unlessMalformed(() =>
      readValue(block.slice('device value', valuesOffset + index * valueSize, VALUE_SIZE)),
    );
    // The device has one slot for a name.
    if (value != null && !values.some(({ name }) => name === value.name)) values.push(value);
  }
  return values;
}

/** Null for an empty slot, and for one that was being written when the device crashed. */
function readValue(slot: ByteReader): DeviceValue | null {
  const isHalfWritten = slot.u32() % 2 === 1;
  const type = slot.u8();
  const textLength = slot.u8();
  slot.skip(2);
  const name = text(slot.take(24));
  if (isHalfWritten || name === '') return null;
  const content = slot.split('content', 32);
  if (type === 1) return { name, type: 'integer', value: BigInt.asIntN(64, content.u64()).toString() };
  if (type === 2) return { name, type: 'float', value: floatText(content.take(8)) };
  if (type === 3)
    return { name, type: 'text', value: oneLine(decode(content.take(Math.min(textLength, 32)))) };
  return null;
}

function floatText(bytes: Uint8Array): string {
  return String(new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true));
}

/** The bytes go round the end of the ring. */
function readLog(block: ByteReader, { logOffset, logSize }: Header): string[] {
  const log = block.slice('device log', logOffset, block.length - logOffset);
  const begin = log.u32();
  const length = log.u32();
  if (begin >= logSize || length > logSize || logSize > log.remaining) return [];
  const ring = log.take(logSize);
  const inOrder = new Uint8Array(length);
  const beforeEnd = ring.subarray(begin, Math.min(begin + length, logSize));
  inOrder.set(beforeEnd);
  inOrder.set(ring.subarray(0, length - beforeEnd.length), beforeEnd.length);
  const lines = decode(inOrder).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-MAX_LOG_LINES).map((line) => oneLine(line).slice(0, MAX_LINE_LENGTH));
}

/** Up to a NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return oneLine(decode(end < 0 ? bytes : bytes.subarray(0, end)));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function oneLine(line: string): string {
  return printable(line).replaceAll('\n', '\\x0a');
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function unlessMalformed<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
