import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { buildForHost, type HostProgram } from './build-device.js';

export interface DeviceRun {
  /** 0: nothing is left to send; 2: something is; 3: coredock_start failed; 8: it was reset; 9: power was lost. */
  code: number | null;
  output: string;
  log: string;
}

/** One device of the test: its flash is a file. */
export interface Device {
  environment: Record<string, string>;
  /** The device crashes: `image` is in its flash afterwards. */
  crash(image: Buffer): Promise<void>;
  /** One run that ends in a panic, which the bytes describe (panic-file.ts). */
  panic(state: Buffer, environment?: Record<string, string>): Promise<void>;
  /** One run, from boot to power off. */
  boot(environment?: Record<string, string>): Promise<DeviceRun>;
  /** Length of the dump in flash; null when there is none. */
  pending(): Promise<number | null>;
  /** The memory that a restart does not clear. */
  noinit: string;
  command(args: string[], environment?: Record<string, string>): Promise<DeviceRun>;
}

export interface DeviceOptions {
  folder: string;
  environment: Record<string, string>;
  partitionBytes?: number;
  isEncrypted?: boolean;
  /** Default: without crash summaries. */
  program?: HostProgram;
  /** Looks for leaks at the end of each run, which takes most of its time. */
  isCheckedForLeaks?: boolean;
}

/** A device with a partition that was never written. */
export async function aHostDevice({
  folder,
  environment,
  partitionBytes = 65_536,
  isEncrypted = false,
  isCheckedForLeaks = true,
  program: source = { name: 'device' },
}: DeviceOptions): Promise<Device> {
  const program = await buildForHost(source);
  const name = randomBytes(6).toString('hex');
  const flash = join(folder, `${name}.flash`);
  await writeFile(flash, Buffer.alloc(partitionBytes, 0xff));
  const own = {
    ...environment,
    DEVICE_FLASH: flash,
    DEVICE_NOINIT: join(folder, `${name}.noinit`),
    DEVICE_ENCRYPTED: isEncrypted ? '1' : '0',
    ...(isCheckedForLeaks ? {} : { ASAN_OPTIONS: 'detect_leaks=0' }),
  };
  const command = (args: string[], more: Record<string, string> = {}) =>
    runToEnd(program, args, { ...own, ...more });
  return {
    environment: own,
    noinit: own.DEVICE_NOINIT,
    command,
    async crash(image) {
      const file = join(folder, `${name}.dump`);
      await writeFile(file, image);
      const { code, log } = await command(['save', file]);
      if (code !== 0) throw new Error(`the dump was not saved: ${log}`);
    },
    async panic(state, more) {
      const file = join(folder, `${name}.panic`);
      await writeFile(file, state);
      const { code, log, output } = await command(['panic', file], { DEVICE_NETWORK: 'none', ...more });
      if (code !== 0) throw new Error(`the device did not panic: ${code} ${output}${log}`);
    },
    boot: (more) => command(['run'], more),
    async pending() {
      if (!isEncrypted) return lengthIn(flash, partitionBytes);
      const { output } = await command(['state']);
      return output.trim() === 'none' ? null : Number(output);
    },
  };
}

/** As ESP-IDF judges it: a length that cannot be one means that there is no dump. */
async function lengthIn(flash: string, partitionBytes: number): Promise<number | null> {
  const file = await open(flash);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
  await file.close();
  const length = buffer.readUInt32LE(0);
  return length >= 4 && length <= partitionBytes ? length : null;
}

async function runToEnd(
  program: string,
  args: string[],
  environment: Record<string, string>,
): Promise<DeviceRun> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { code, output, log };
}

/** As ESP-IDF writes a dump: its length, bytes, and a CRC-32 at the end. */
export function aDumpImage(
  size: number,
  fill: (bytes: Buffer) => void = (bytes) => randomBytes(bytes.length).copy(bytes),
) {
  const image = Buffer.alloc(size);
  fill(image.subarray(4, size - 4));
  image.writeUInt32LE(size, 0);
  image.writeUInt32LE(crc32(image.subarray(0, size - 4)), size - 4);
  return image;
}

/** A dump that the device could not finish: the rest is erased flash. */
export function unfinished(image: Buffer, written: number): Buffer {
  return Buffer.concat([image.subarray(0, written), Buffer.alloc(image.length - written, 0xff)]);
}
