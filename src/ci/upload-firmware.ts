import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.js';
import { HOW_TO_GET_ONE, type TokenOptions, tokenSource } from './job-token.js';
import { createProgressBar } from './progress-bar.js';
import { type Answer, readAnswer, type UploadedFirmware } from './read-answer.js';
import { connectionFailure, TemporaryFailure, withRetries } from './temporary-failure.js';

export interface UploadOptions extends TokenOptions {
  model: string;
  /** Used when neither the bundle nor the ELF has a version. */
  firmwareVersion?: string;
  /** The version may differ from that in the ELF. */
  allowVersionMismatch?: boolean;
  /** The Git commit of the sources. */
  revision?: string;
  retries: number;
  /** What is written to standard output: a line for people, or one of JSON for scripts. */
  format?: 'text' | 'json';
}

export interface Terminal {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * `coredock firmware upload`: uploads a bundle from CI to a server. A second upload of the same ELF changes nothing, so
 * uploads can be retried, here and by the caller.
 *
 * @param environment where a token may be, see `tokenSource`
 * @param retryDelayMs pause before the second attempt; each later one is about twice as long
 * @returns the exit code: 0 the server has the build, 1 it could not be read or sent, or was refused, 2 bad usage
 */
export async function uploadFirmwareCommand(
  file: string,
  options: UploadOptions,
  { stdout, stderr }: Terminal,
  environment: Readonly<Record<string, string | undefined>>,
  retryDelayMs = 1_000,
): Promise<0 | 1 | 2> {
  const endpoint = endpointOf(options.url);
  if (endpoint === null) return complain(2, `--url "${options.url}" is not an http:// or https:// URL`);
  try {
    const tokenOf = tokenSource(options, environment);
    const attempt = async () => upload(file, endpoint, { ...options, bearer: await tokenOf() }, stderr);
    const { firmware, warnings } = await withRetries(attempt, {
      retries: options.retries,
      retryDelayMs,
      say: (line) => void stderr.write(`coredock: ${line}\n`),
    });
    stdout.write(`${lineOf(options, firmware, warnings)}\n`);
    for (const { message } of warnings) stderr.write(`coredock: warning: ${message}\n`);
    return 0;
  } catch (error) {
    return complain(1, messageOf(error));
  }

  function complain<Code extends 1 | 2>(code: Code, problem: string): Code {
    stderr.write(`coredock: ${problem}\n`);
    return code;
  }
}

function lineOf(
  { model, format = 'text' }: UploadOptions,
  { id, version, elfSha256 }: UploadedFirmware,
  warnings: ReadonlyArray<{ message: string }>,
): string {
  if (format === 'text') return `${model} ${version} ${elfSha256}`;
  return JSON.stringify({
    ...{ model, version, elfSha256, firmwareId: id },
    warnings: warnings.map(({ message }) => message),
  });
}

const QUERY = `mutation ($input: UploadFirmwareInput!) {
  uploadFirmware(input: $input) { firmware { id version elfSha256 } warnings { message } }
}`;

async function upload(
  file: string,
  endpoint: URL,
  {
    model,
    bearer,
    firmwareVersion = null,
    allowVersionMismatch = false,
    revision,
  }: Omit<UploadOptions, 'firmwareVersion'> & {
    firmwareVersion?: string | null;
    bearer: string | undefined;
  },
  stderr: Terminal['stderr'],
) {
  const found = await stat(file).catch(() => {
    throw new Error(`${file} cannot be read`);
  });
  if (!found.isFile()) throw new Error(`${file} is not a file: name the ELF, or the ZIP with it`);
  const { size } = found;
  const boundary = `coredock-${randomBytes(16).toString('hex')}`;
  const operations = JSON.stringify({
    query: QUERY,
    variables: {
      input: {
        modelCode: model,
        bundle: null,
        version: firmwareVersion,
        allowVersionMismatch,
        // A server of an earlier release does not know it.
        ...(revision === undefined ? {} : { revision }),
      },
    },
  });
  const head =
    part(boundary, 'operations', operations) +
    part(boundary, 'map', '{"bundle":["variables.input.bundle"]}') +
    `--${boundary}\r\nContent-Disposition: form-data; name="bundle"; filename="${encodeURIComponent(basename(file))}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  const tail = `\r\n--${boundary}--\r\n`;
  const headers = {
    'Content-Type': `multipart/form-data; boundary=${boundary}`,
    'Content-Length': Buffer.byteLength(head) + size + Buffer.byteLength(tail),
    ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
  };
  const bar = createProgressBar(stderr, size);
  try {
    const answer = await post(endpoint, headers, async function* () {
      yield Buffer.from(head);
      for await (const chunk of createReadStream(file)) {
        bar.add(chunk.length);
        yield chunk;
      }
      yield Buffer.from(tail);
    });
    if (answer.status === 401 && bearer === undefined) throw new Error(NO_TOKEN);
    return readAnswer(answer, endpoint);
  } finally {
    bar.end();
  }
}

const NO_TOKEN = `the server wants a token: give one by --token or COREDOCK_TOKEN. ${HOW_TO_GET_ONE}`;

const SILENCE_MS = 60_000;
const MAX_ANSWER = 1024 * 1024;

async function post(
  endpoint: URL,
  headers: Record<string, string | number>,
  body: () => AsyncIterable<Buffer>,
): Promise<Answer> {
  const open = endpoint.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = open(endpoint, { method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_ANSWER) chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
      response.on('error', (error) => reject(new TemporaryFailure(error.message)));
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error('the server does not answer')));
    // A refusal can arrive before the body is sent: it says more than the broken pipe.
    request.on('error', (error) => {
      setTimeout(() => reject(connectionFailure(endpoint, error)), 100);
    });
    pipeline(body, request).catch((error: unknown) => {
      if (isOfFile(error)) reject(error);
    });
  });
}

function isOfFile(error: unknown): boolean {
  return (
    error instanceof Error && 'syscall' in error && (error.syscall === 'open' || error.syscall === 'read')
  );
}

function part(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** The URL of the API, from what `--url` says; null when that is no URL. */
export function endpointOf(url: string): URL | null {
  if (!URL.canParse(url)) return null;
  const base = new URL(url);
  if (!/^https?:$/.test(base.protocol)) return null;
  base.pathname = `${base.pathname.replace(/\/(graphql\/?)?$/, '')}/graphql`;
  return base;
}
