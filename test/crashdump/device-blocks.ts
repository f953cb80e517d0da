import { crc32 } from 'node:zlib';

export interface BlockSpec {
  version?: number;
  model?: string;
  serial?: string;
  elfSha256?: string;
  values?: ReadonlyArray<{ name: string; content: number | string | bigint; sequence?: number }>;
  /** What was logged, newest last; goes round the end when it begins late. */
  log?: string;
  logSize?: number;
  logBegin?: number;
}

const HEADER = 48;
const IDENTITY = 260;
const VALUE = 64;
const VALUES = 16;

/** The block of the device component, byte for byte as device/esp-idf/coredock/block-format.md says. */
export function aDeviceBlock({
  version = 1,
  model = 'thermostat',
  serial = '7cdfa1e5d3c8',
  elfSha256 = 'ab'.repeat(32),
  values = [],
  log = '',
  logSize = 256,
  logBegin = 0,
}: BlockSpec = {}): Buffer {
  const valuesAt = HEADER + IDENTITY + 4;
  const logAt = valuesAt + VALUES * VALUE;
  const block = Buffer.alloc(logAt + 8 + logSize);
  block.write('COREDOCK\x1ablock\r\n', 0, 'latin1');
  block.writeUInt16LE(version, 16);
  block.writeUInt16LE(HEADER, 18);
  block.writeUInt32LE(block.length, 20);
  for (const [index, field] of [HEADER, IDENTITY, valuesAt, VALUE, VALUES, logAt].entries())
    block.writeUInt16LE(field, 24 + 2 * index);
  block.writeUInt32LE(logSize, 36);
  resealHeader(block);

  const identity = block.subarray(HEADER, HEADER + IDENTITY);
  identity.write(model, 0);
  identity.write(serial, 36);
  identity.write('1.2.3', 104);
  identity.write('thermostat', 172);
  identity.write(elfSha256, 208, 'hex');
  identity.fill(0x11, 240, 248);
  identity.writeUInt32LE(7, 248);
  identity.writeUInt32LE(4, 252);
  identity.writeUInt32LE(crc32(identity.subarray(0, 256)), 256);

  for (const [index, value] of values.entries())
    writeValue(block.subarray(valuesAt + index * VALUE, valuesAt + (index + 1) * VALUE), value);

  const bytes = Buffer.from(log).subarray(-logSize);
  block.writeUInt32LE(logBegin, logAt);
  block.writeUInt32LE(bytes.length, logAt + 4);
  for (const [index, byte] of bytes.entries()) block[logAt + 8 + ((logBegin + index) % logSize)] = byte;
  return block;
}

/** Makes the header's checksum right again. */
export function resealHeader(block: Buffer): void {
  block.writeUInt32LE(crc32(block.subarray(0, 44)), 44);
}

function writeValue(
  slot: Buffer,
  { name, content, sequence = 2 }: NonNullable<BlockSpec['values']>[number],
): void {
  slot.writeUInt32LE(sequence, 0);
  slot.write(name, 8);
  if (typeof content === 'bigint') {
    slot[4] = 1;
    slot.writeBigInt64LE(content, 32);
  } else if (typeof content === 'number') {
    slot[4] = 2;
    slot.writeDoubleLE(content, 32);
  } else {
    slot[4] = 3;
    slot[5] = Buffer.byteLength(content);
    slot.write(content, 32);
  }
}
