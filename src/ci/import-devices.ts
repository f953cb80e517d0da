import { readFile } from 'node:fs/promises';
import { decodeText } from '../device-list/decode-text.js';
import { type ListProblem, readDeviceList } from '../device-list/read-device-list.js';
import { registerDevices } from '../device-list/register-devices.js';
import { messageOf } from '../errors.js';
import { givenToken } from './bearer-token.js';
import { createDeviceRegistry, RefusedBatch } from './device-registry.js';
import { openTokenFile } from './token-file.js';
import { endpointOf, type Terminal } from './upload-firmware.js';

export interface ImportOptions {
  model: string;
  url: string;
  token?: string;
  /** File for the tokens of the new devices. Without it they get none, and use an ingest key. */
  tokens?: string;
  dryRun?: boolean;
  retries: number;
}

/** Most wrong lines to list, as on the page; a wrong file has thousands. */
const NAMED = 50;

/**
 * `coredock devices import`: registers the devices of a CSV file. Nothing is sent before the whole file was checked.
 *
 * @param environment where the token may be (COREDOCK_TOKEN)
 * @param retryDelayMs pause before the second attempt; each later one is about twice as long
 * @returns the exit code: 0 the server has all devices of the file, 1 it has not, 2 bad usage
 */
export async function importDevicesCommand(
  file: string,
  options: ImportOptions,
  { stdout, stderr }: Terminal,
  environment: Readonly<Record<string, string | undefined>>,
  retryDelayMs = 1_000,
): Promise<0 | 1 | 2> {
  const endpoint = endpointOf(options.url);
  if (endpoint === null) return complain(2, `--url "${options.url}" is not an http:// or https:// URL`);
  const { model: modelCode, dryRun: isDryRun = false } = options;
  let created = 0;
  let skipped = 0;
  let wrong = 0;
  try {
    const token = givenToken(options.token, environment);
    const { devices, problems, ignoredColumns } = readDeviceList(await textOf(file));
    if (ignoredColumns.length > 0) stderr.write(`coredock: columns not used: ${ignoredColumns.join(', ')}\n`);
    if (problems.length > 0) {
      report(problems.slice(0, NAMED));
      const more = problems.length - NAMED;
      if (more > 0) stderr.write(`coredock: and ${count(more, 'more line')}\n`);
      return complain(1, `${count(problems.length, 'line')} cannot be read; nothing was registered`);
    }
    if (devices.length === 0) return complain(1, `${file} names no device`);
    const tokenFile = options.tokens === undefined || isDryRun ? null : await openTokenFile(options.tokens);
    try {
      const registry = createDeviceRegistry({
        endpoint,
        modelCode,
        token,
        withTokens: tokenFile !== null,
        retries: options.retries,
        retryDelayMs,
        say: (line) => stderr.write(`coredock: ${line}\n`),
      });
      await registry.requireModel();
      for await (const batch of registerDevices(devices, { modelCode, isDryRun, registry })) {
        report(batch.problems);
        created += batch.created.length;
        skipped += batch.skipped;
        wrong += batch.problems.length;
        await tokenFile?.add(batch.created);
      }
    } finally {
      await tokenFile?.close();
    }
  } catch (error) {
    if (error instanceof RefusedBatch) report([error.problem]);
    const reason = messageOf(error);
    const before = created + skipped === 0 ? '' : `; ${summary()} by then, run it again to finish`;
    return complain(1, `${reason}${before}`);
  }
  stdout.write(`${summary()}\n`);
  return wrong === 0 ? 0 : complain(1, `${count(wrong, 'line')} could not be registered`);

  function summary(): string {
    const verb = isDryRun ? 'to register' : 'registered';
    return `${count(created, 'device')} ${verb}, ${skipped} already there`;
  }

  function report(problems: readonly ListProblem[]): void {
    for (const { line, message } of problems) stderr.write(`coredock: ${file}:${line}: ${message}\n`);
  }

  function complain<Code extends 1 | 2>(code: Code, problem: string): Code {
    stderr.write(`coredock: ${problem}\n`);
    return code;
  }
}

async function textOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => {
    throw new Error(`${file} cannot be read`);
  });
  return decodeText(bytes);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
