import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { startSidecar } from '../../src/sidecar/server.js';
import { aFirmwareElf } from '../support/firmware.js';

/** The program as it was built: worker threads and child processes have no compiler. */
const DIST = new URL('../../dist/', import.meta.url);

export const CLI = fileURLToPath(new URL('cli.js', DIST));

type Options = Omit<Parameters<typeof startSidecar>[0], 'port' | 'log' | 'xferDir' | 'workerFile'>;

/** The sidecar's server in this process, with built workers, on a transfer folder of its own. */
export async function aSidecarServer(options: Options = {}) {
  const workerFile = fileURLToPath(new URL('parse-worker.js', DIST));
  if (!existsSync(workerFile))
    throw new Error('dist/ is missing: these tests drive the built program; run npm run build');
  const folder = await aTransferFolder();
  const { log, entries } = aLog();
  const sidecar = await startSidecar({
    ...{ port: 0, xferDir: folder.dir, log, workers: 2, workerFile },
    ...options,
  });
  onTestFinished(sidecar.close);
  return { ...folder, url: sidecar.url, entries, parse: (query?: object) => parseOver(sidecar.url, query) };
}

export type Sidecar = Awaited<ReturnType<typeof aSidecarServer>>;

/** A transfer folder with the smallest readable dump and firmware in it. */
export async function aTransferFolder() {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-sidecar-'));
  onTestFinished(async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const put = (name: string, bytes: Uint8Array | string) => writeFile(join(dir, name), bytes);
  await put('a.dmp', aDump());
  await put('a.elf', aFirmwareElf());
  return { dir, put };
}

interface Answer {
  status: number;
  headers: Headers;
  body: { output?: string; report?: Report; error?: string };
}

interface Report {
  tasks: Array<{ name: string; frames: Array<{ function: string | null }> }>;
  warnings: { code: string; message: string }[];
  crashedTask: string | null;
  elfMatches: boolean;
}

/** `GET /parse-coredump` with these parameters; those of the folder's own files unless given. */
export async function parseOver(url: string, query: object = {}): Promise<Answer> {
  const search = new URLSearchParams({ core: 'a.dmp', elf: 'a.elf', chip: 'esp32', ...query });
  return get(`${url}/parse-coredump?${search}`);
}

export async function get(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/**
 * A BIN v1 dump of one Xtensa task (ESP-IDF esp_core_dump_types.h): control block with the name, and a stack that begins with
 * the frame of the exception.
 */
export function aDump({ task = 'main' } = {}): Buffer {
  const tcbSize = 92;
  const stack = Buffer.alloc(256);
  const frame = [0xdeadbeef, 0x400d1234, 0x00060530, 0x800d5678, 0x3ffb5000];
  frame.forEach((word, index) => {
    stack.writeUInt32LE(word, index * 4);
  });
  stack.writeUInt32LE(28, 20 * 4); // exccause: LoadProhibited
  const tcb = Buffer.alloc(tcbSize);
  tcb.write(task, 52, 16, 'latin1');
  const addresses = words(0x3ffb1000, 0x3ffb5000, 0x3ffb5000 + stack.length);
  const size = 16 + addresses.length + tcbSize + stack.length + 4;
  const covered = Buffer.concat([words(size, 1, 1, tcbSize), addresses, tcb, stack]);
  return Buffer.concat([covered, words(crc32(covered))]);
}

/** A valid Xtensa ELF that is almost nothing but functions, all of the same name. */
export function anElfOfSymbols(count: number): Buffer {
  // Where the dump's task stands, and all of them at one address: which one names it must be found out.
  const address = 0x400d1230;
  const text = { nameAt: 10, type: 1, flags: 6, address, bytes: Buffer.alloc(16), link: 0 };
  const entry = Buffer.concat([words(1, address, 4), Buffer.from([0x12, 0, 1, 0])]);
  const symbols = {
    nameAt: 16,
    type: 2,
    flags: 0,
    address: 0,
    bytes: Buffer.alloc(count * entry.length, entry),
    link: 3,
  };
  const strings = Buffer.from('\0function\0.text\0.symtab\0.strtab\0');
  const names = { nameAt: 24, type: 3, flags: 0, address: 0, bytes: strings, link: 0 };
  const sections = [text, symbols, names];

  let offset = 52;
  const headers = sections.map(({ nameAt, type, flags, address, bytes, link }) => {
    const header = words(nameAt, type, flags, address, offset, bytes.length, link, 0, 1, 0);
    offset += bytes.length;
    return header;
  });
  const fileHeader = Buffer.alloc(52);
  fileHeader.write('\x7fELF\x01\x01\x01', 'latin1');
  fileHeader.writeUInt16LE(2, 16); // ET_EXEC
  fileHeader.writeUInt16LE(0x5e, 18); // EM_XTENSA
  fileHeader.writeUInt32LE(1, 20);
  fileHeader.writeUInt32LE(offset, 32); // e_shoff
  fileHeader.writeUInt16LE(52, 40);
  fileHeader.writeUInt16LE(40, 46);
  fileHeader.writeUInt16LE(headers.length + 1, 48);
  fileHeader.writeUInt16LE(3, 50);
  return Buffer.concat([fileHeader, ...sections.map(({ bytes }) => bytes), Buffer.alloc(40), ...headers]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, index * 4);
  });
  return bytes;
}

type LogEntry = Record<string, unknown> & { msg: string };

/** A logger that keeps what it is told. */
export function aLog() {
  const entries: LogEntry[] = [];
  const log = pino({ level: 'trace', base: null }, { write: (line) => void entries.push(JSON.parse(line)) });
  return { log, entries };
}

export async function isAnswering(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    (response) => response.ok,
    () => false,
  );
}
