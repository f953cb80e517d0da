import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from './app.js';
import { foundIn } from './output.js';
import { askAlone } from './own-connection.js';

export const CLI = fileURLToPath(new URL('../../dist/coredock.cjs', import.meta.url));

/** Another Node may run the built program than the one that runs the tests: `.ci/run` tries a newer one so. */
export const NODE = process.env.COREDOCK_TEST_NODE ?? process.execPath;

export interface Program {
  readonly url: string;
  readonly dir: string;
  readonly process: ChildProcess;
  log(): string;
  graphql<Data>(query: string, variables?: object): Promise<Data>;
  /** Ends it with a signal and waits until it is gone. @returns its exit code, null when the signal killed it */
  stop(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<number | null>;
}

export async function aFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-system-'));
  onTestFinished(async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  return dir;
}

interface ProgramOptions {
  dir?: string;
  environment?: Record<string, string>;
  nodeOptions?: readonly string[];
  /** Where it writes its log, as under a supervisor; else it is kept in memory here. */
  logFile?: string;
}

/** The built program, started as a user starts it, in a folder of its own. */
export async function aProgram(
  command: 'start' | 'serve',
  { dir, ...options }: ProgramOptions = {},
): Promise<Program> {
  let child: ChildProcess | undefined;
  onTestFinished(async () => {
    if (child === undefined) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return startProgram(command, {
    ...options,
    dir: dir ?? (await aFolder()),
    onSpawned: (spawned) => {
      child = spawned;
    },
  });
}

/** The same for a whole file of tests: whoever starts it stops it. */
export async function startProgram(
  command: 'start' | 'serve',
  {
    dir: folder,
    environment = {},
    nodeOptions = [],
    logFile,
    onSpawned = () => {},
  }: ProgramOptions & { dir: string; onSpawned?: (child: ChildProcess) => void },
): Promise<Program> {
  const stderr = logFile === undefined ? ('pipe' as const) : openSync(logFile, 'a');
  const child = spawn(NODE, [...nodeOptions, requireBuilt(), command], {
    cwd: folder,
    // The few devices of a test send what a fleet would.
    env: { PATH: process.env.PATH ?? '', PORT: '0', DEVICE_UPLOADS_PER_MINUTE: '1000000', ...environment },
    stdio: ['ignore', 'pipe', stderr],
  });
  if (typeof stderr === 'number') closeSync(stderr);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  onSpawned(child);
  const log = child.stderr === null ? logIn(logFile ?? '') : logFrom(child.stderr);
  const url = await Promise.race([
    child.stderr === null ? foundInLog(log, IS_UP) : foundIn(child.stderr, IS_UP),
    exited.then((code) => Promise.reject(new Error(`coredock ${command} ended with ${code}:\n${log()}`))),
  ]);
  return {
    url,
    dir: folder,
    process: child,
    log,
    graphql: (query, variables) => askAlone({ url }, query, { variables }),
    async stop(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

const IS_UP = /"url":"(http:[^"]+)","msg":"Coredock is up"/;

function logFrom(stream: Readable): () => string {
  let log = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  return () => log;
}

/** What is written to the file from now on: the programs before had it too. */
function logIn(file: string): () => string {
  const start = statSync(file).size;
  return () => readFileSync(file).subarray(start).toString('utf8');
}

async function foundInLog(log: () => string, pattern: RegExp): Promise<string> {
  return eventually(async () => pattern.exec(log())?.[1], 'the line in the log');
}

/** Runs a command of the program to its end; `program` is another copy of it. */
export async function run(
  args: readonly string[],
  {
    cwd,
    environment = {},
    program = requireBuilt(),
    input,
  }: { cwd?: string; environment?: Record<string, string>; program?: string; input?: Uint8Array } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(NODE, [program, ...args], {
    cwd: cwd ?? tmpdir(),
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  // Most commands end without reading it.
  child.stdin.on('error', () => {}).end(input);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

function requireBuilt(): string {
  if (!existsSync(CLI))
    throw new Error('dist/coredock.cjs is missing: these tests drive the built program; run npm run build');
  return CLI;
}
