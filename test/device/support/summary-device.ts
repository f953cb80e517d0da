import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type HostProgram, WITH_SUMMARIES } from './build-device.js';
import { aRecordingServer, type RecordedRequest, type RecordingServer } from './recording-server.js';
import { aHostDevice, type Device } from './run-device.js';

export interface Summary {
  reason: string;
  task?: string;
  pc: string;
  registers: Record<string, string>;
  backtrace?: string[];
  stack?: { address: string; data: string };
  elf_sha256: string;
  firmware_version: string;
  chip: string;
  log?: string;
}

/** SHA-256 of the ELF that the devices of these tests run. */
export const RUNNING_ELF = 'c0ffee'.padEnd(64, '5');

/** Strict: a decoder that forgives would hide what is no UTF-8. */
export const summaryIn = ({ body }: RecordedRequest): Summary =>
  JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));

export const keyOf = ({ headers }: RecordedRequest) => headers['idempotency-key'];

export interface SummaryDevice {
  device: Device;
  server: RecordingServer;
  folder: string;
}

/** A device that remembers crashes, and a server that it knows. */
export async function aSummaryDevice({
  program = WITH_SUMMARIES,
  environment = {},
  hasPartition = false,
}: {
  program?: HostProgram;
  environment?: Record<string, string>;
  hasPartition?: boolean;
} = {}): Promise<SummaryDevice> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-summary-'));
  const server = await aRecordingServer();
  onTestFinished(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const device = await aHostDevice({
    folder,
    program,
    environment: {
      DEVICE_URL: server.url,
      DEVICE_KEY: 'dev1',
      DEVICE_ELF_SHA256: RUNNING_ELF,
      DEVICE_SPEED: '400',
      DEVICE_RETRY_MIN_S: '2',
      DEVICE_RETRY_MAX_S: '16',
      DEVICE_PATIENCE_MS: '4000000',
      ...environment,
    },
  });
  if (!hasPartition) device.environment.DEVICE_FLASH = '';
  return { device, server, folder };
}
