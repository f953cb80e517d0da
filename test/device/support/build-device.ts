import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DEVICE_TESTS = fileURLToPath(new URL('..', import.meta.url));
export const COMPONENT = fileURLToPath(new URL('../../../device/esp-idf/coredock/', import.meta.url));
export const SHIMS = join(DEVICE_TESTS, 'shims');

export const hasGcc = spawnSync('gcc', ['--version']).status === 0;
export const hasRiscvGcc = spawnSync('riscv64-unknown-elf-gcc', ['--version']).status === 0;

export const INCLUDES = [SHIMS, join(COMPONENT, 'include'), join(COMPONENT, 'src')].flatMap((dir) => [
  '-I',
  dir,
]);
export const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

export function sourcesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => join(folder, name));
}

export interface HostProgram {
  /** A file in `programs/`, without its ending. */
  name: string;
  sanitizers?: string;
  defines?: readonly string[];
  /** Options of the linker. */
  links?: readonly string[];
}

/** The device that remembers crashes without a dump; ESP-IDF's linker options do the rest. */
export const WITH_SUMMARIES: HostProgram = {
  name: 'device',
  defines: ['CONFIG_COREDOCK_CRASH_SUMMARY=1', 'COREDOCK_WRAPS_PANIC=1'],
  links: ['-Wl,--wrap=esp_panic_handler'],
};

const builds = new Map<string, Promise<string>>();

/** Compiles the component with the shims for this machine, once for each state of the sources. @returns its path */
export function buildForHost(program: HostProgram): Promise<string> {
  const key = JSON.stringify(program);
  const build = builds.get(key) ?? compile(program);
  builds.set(key, build);
  return build;
}

async function compile({
  name,
  sanitizers = 'address,undefined',
  defines = [],
  links = [],
}: HostProgram): Promise<string> {
  const sources = [
    join(DEVICE_TESTS, 'programs', `${name}.c`),
    ...sourcesIn(SHIMS),
    ...sourcesIn(join(COMPONENT, 'src')),
  ];
  const flags = [
    ...['-std=gnu17', '-D_GNU_SOURCE', '-DSHIM_HOST', '-O1', '-g', ...WARNINGS],
    ...[`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all', ...defines.map((define) => `-D${define}`)],
    ...links,
  ];
  const program = join(tmpdir(), `coredock-${name}-${stateOf([flags.join(' '), ...sources, ...headers()])}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  await promisify(execFile)('gcc', [...flags, ...INCLUDES, ...sources, '-o', unfinished, '-lpthread']);
  await rename(unfinished, program);
  return program;
}

function headers(): string[] {
  return [
    SHIMS,
    join(SHIMS, 'freertos'),
    join(SHIMS, 'esp_private'),
    join(COMPONENT, 'include'),
    join(COMPONENT, 'src'),
  ].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.h'))
      .map((name) => join(folder, name)),
  );
}

function stateOf([flags, ...files]: string[]): string {
  const hash = createHash('sha256').update(flags ?? '');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
