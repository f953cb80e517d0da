import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { isIngestKey } from '../auth/ingest-key-token.js';
import { peekDump, UnreadableDump } from '../crashdump/index.js';
import { messageOf } from '../errors.js';
import { givenToken } from './bearer-token.js';
import { type CrashServer, createCrashServer } from './crash-server.js';
import { withRetries } from './temporary-failure.js';
import { endpointOf, type Terminal } from './upload-firmware.js';

export interface UploadCrashOptions {
  serial?: string;
  model?: string;
  /** The key of a device, in place of model and serial. */
  device?: string;
  url?: string;
  token?: string;
  chip?: string;
  firmwareVersion?: string;
  /** False with --no-wait. */
  wait: boolean;
  retries: number;
}

/** What is uploaded: the file with its name, or standard input. */
interface Crash {
  name: string;
  bytes: Buffer;
}

const STDIN = '-';
const DEFAULT_URL = 'http://127.0.0.1:4000';
/** Longer than three attempts of a parse with their pauses. */
const MAX_WAIT_MS = 120_000;
const UNKNOWN = 'unknown';

/**
 * `coredock upload FILE`: files a crash under a device, from a laptop. With a token of an admin by the mutation
 * `uploadCrash`; with that of a device, or an ingest key, as the device itself does.
 *
 * @param stdin for the file "-"
 * @param environment COREDOCK_URL and COREDOCK_TOKEN
 * @returns the exit code: 0 the server has the crash, 1 it could not be read or sent, or was refused, 2 bad usage
 */
export async function uploadCrashCommand(
  file: string,
  options: UploadCrashOptions,
  { stdin, stdout, stderr }: Terminal & { stdin: NodeJS.ReadableStream },
  environment: Readonly<Record<string, string | undefined>>,
  { retryDelayMs = 1_000, pollMs = 1_000 } = {},
): Promise<0 | 1 | 2> {
  const url = options.url ?? (environment.COREDOCK_URL || DEFAULT_URL);
  const endpoint = endpointOf(url);
  if (endpoint === null) return complain(2, `--url "${url}" is not an http:// or https:// URL`);
  const { device, model, serial } = options;
  if (device !== undefined && (model !== undefined || serial !== undefined)) {
    return complain(2, '--device names the device alone: leave out --serial and --model');
  }
  const again = {
    retries: options.retries,
    retryDelayMs,
    say: (line: string) => void stderr.write(`coredock: ${line}\n`),
  };
  try {
    const token = givenToken(options.token, environment);
    const crash = await readCrash(file, stdin);
    const server = createCrashServer({ endpoint, token });
    const stored = await withRetries(() => upload(server, crash, options, token), again);
    stdout.write(`${server.linkTo(stored.coredumpId)}\n`);
    if (options.wait && stored.isReadable) await showEnd(server, stored.coredumpId);
    return 0;
  } catch (error) {
    return complain(error instanceof BadUsage ? 2 : 1, messageOf(error));
  }

  async function showEnd(server: CrashServer, id: string): Promise<void> {
    const until = performance.now() + MAX_WAIT_MS;
    for (;;) {
      const crash = await withRetries(() => server.read(id), again);
      if (crash === null) return void stderr.write('coredock: the crash was deleted meanwhile\n');
      if (crash.parseStatus !== 'PENDING') {
        const { reason, group, sentence } = crash;
        if (reason !== null) stdout.write(`${reason}\n`);
        if (group !== null) stdout.write(`Group: ${group.title}, ${group.crashes}\n`);
        if (sentence !== null) stderr.write(`coredock: ${sentence}\n`);
        return;
      }
      if (performance.now() > until) {
        stderr.write('coredock: it is stored, and not read yet: its page shows when it is\n');
        return;
      }
      await sleep(pollMs);
    }
  }

  function complain<Code extends 1 | 2>(code: Code, problem: string): Code {
    stderr.write(`coredock: ${problem}\n`);
    return code;
  }
}

/** The token decides what must be named: that of a device says which one it is. */
class BadUsage extends Error {
  override readonly name = 'BadUsage';
}

interface Uploaded {
  coredumpId: string;
  /** Whether the token may read what became of it. */
  isReadable: boolean;
}

async function upload(
  server: CrashServer,
  crash: Crash,
  options: UploadCrashOptions,
  token: string | undefined,
): Promise<Uploaded> {
  const isOfDevice = token !== undefined && (isIngestKey(token) || !(await server.isPerson()));
  if (isOfDevice) return { coredumpId: await sendAsDevice(server, crash, options), isReadable: false };
  const { device, model, serial, chip = null, firmwareVersion = null } = options;
  if (device === undefined && (model === undefined || serial === undefined))
    throw new BadUsage('name the device by --serial and --model, or by --device KEY');
  const named =
    device === undefined ? { modelCode: model, serial } : { deviceId: await server.deviceId(device) };
  const coredumpId = await server.upload(crash, { ...named, chip, firmwareVersion });
  return { coredumpId, isReadable: true };
}

/** The route wants chip and version: what the crash itself says, where the caller does not. */
async function sendAsDevice(
  server: CrashServer,
  { bytes }: Crash,
  { device, model, serial, chip, firmwareVersion }: UploadCrashOptions,
): Promise<string> {
  const own = look(bytes);
  return server.send(bytes, {
    chip: chip ?? own.chip ?? UNKNOWN,
    firmware_version: firmwareVersion ?? own.firmwareVersion ?? UNKNOWN,
    ...(device === undefined ? {} : { device_key: device }),
    ...(serial === undefined ? {} : { device_serial: serial }),
    ...(model === undefined ? {} : { model }),
  });
}

/** @throws Error when it is nothing of a crash */
function look(bytes: Uint8Array) {
  try {
    return peekDump(bytes);
  } catch (error) {
    if (error instanceof UnreadableDump) throw new Error(error.message);
    throw error;
  }
}

async function readCrash(file: string, stdin: NodeJS.ReadableStream): Promise<Crash> {
  if (file === STDIN) return notEmpty({ name: 'stdin.txt', bytes: await buffer(stdin) }, 'standard input');
  const bytes = await readFile(file).catch(() => {
    throw new Error(`${file} cannot be read`);
  });
  return notEmpty({ name: basename(file), bytes }, file);
}

function notEmpty(crash: Crash, from: string): Crash {
  if (crash.bytes.length === 0) throw new Error(`${from} is empty`);
  return crash;
}
