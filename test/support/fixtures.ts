import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The firmware builds of test/fixtures/firmware and how each was made to crash (test/fixtures/README.md). */
const BUILDS = {
  'thermostat-1.0.0': {
    modelCode: 'thermostat',
    version: '1.0.0',
    container: 'ELF SHA256 v2.1',
    shaDigits: 9,
    crashes: [
      'null-pointer',
      'null-call',
      'abort',
      'assert',
      'illegal-instruction',
      'stack-overflow',
      'task-watchdog',
      'broken-task',
    ],
  },
  'thermostat-1.1.0': {
    modelCode: 'thermostat',
    version: '1.1.0',
    container: 'ELF CRC32 v2',
    shaDigits: 16,
    crashes: ['null-pointer', 'abort', 'stack-overflow'],
  },
  'thermostat-1.1.0-b': {
    modelCode: 'thermostat',
    version: '1.1.0',
    container: 'ELF SHA256 v2.2',
    shaDigits: 64,
    crashes: ['null-pointer', 'abort', 'stack-overflow'],
  },
  'gateway-0.3.0': {
    modelCode: 'gateway',
    version: '0.3.0',
    container: 'ELF SHA256 v2.1',
    shaDigits: 64,
    crashes: ['null-pointer', 'abort'],
  },
  'values-1.0.0': {
    modelCode: 'values',
    version: '1.0.0',
    container: 'ELF SHA256 v2.1',
    shaDigits: 9,
    crashes: ['abort'],
  },
  'values-1.1.0': {
    modelCode: 'values',
    version: '1.1.0',
    container: 'ELF SHA256 v2.1',
    shaDigits: 9,
    crashes: ['abort'],
  },
  'classes-1.0.0': {
    modelCode: 'classes',
    version: '1.0.0',
    container: 'ELF SHA256 v2.1',
    shaDigits: 9,
    crashes: ['abort'],
  },
} as const satisfies Record<string, Build>;

interface Build {
  modelCode: string;
  version: string;
  /** Format of its dumps, as the reader names it. */
  container: string;
  /** Hexadecimal digits of the ELF's hash that its dumps carry. */
  shaDigits: number;
  crashes: readonly string[];
}

export type FixtureName = keyof typeof BUILDS;
export type CrashOf<Name extends FixtureName> = (typeof BUILDS)[Name]['crashes'][number];

/** What GDB says of a dump (oracle.py): an expectation that does not come from our reader. */
interface OracleReport {
  /** The crashed task first. */
  tasks: {
    /** "0x3fc88850" */
    tcb: string;
    name: string;
    frames: OracleFrame[];
  }[];
  /** Of the crashed task, by ABI name; values as "0x3fc8b8c0". */
  registers: Record<string, string>;
}

interface OracleFrame {
  pc: string;
  function: string | null;
  file: string | null;
  line: number | null;
  /** Inlined into the next frame, or inferred from a tail call. */
  kind: 'normal' | 'inline' | 'tailcall';
  /** The line of GDB's `backtrace`, with the values of the arguments. */
  text: string;
}

export interface Fixture<Crash extends string = string> extends Build {
  elfPath: string;
  crashes: readonly Crash[];
  /** Path of the dump. */
  dump(crash: Crash): string;
  oracle(crash: Crash): Promise<OracleReport>;
}

export const FIXTURES_ROOT = fileURLToPath(new URL('../fixtures/firmware/', import.meta.url));

export function fixture<Name extends FixtureName>(name: Name): Fixture<CrashOf<Name>> {
  const path = (file: string) => `${FIXTURES_ROOT}${file}`;
  return {
    ...BUILDS[name],
    elfPath: path(`${name}.elf`),
    dump: (crash) => path(`${name}-${crash}.dmp`),
    oracle: async (crash) => JSON.parse(await readFile(path(`${name}-${crash}.expected.json`), 'utf8')),
  };
}

/** Every crash of every build, for `it.each`. */
export function everyCrash(): { title: string; build: Fixture; crash: string }[] {
  return fixtureNames().flatMap((name) => {
    const build: Fixture = fixture(name);
    return build.crashes.map((crash) => ({ title: `${name}, ${crash}`, build, crash }));
  });
}

export function fixtureNames(): FixtureName[] {
  return Object.keys(BUILDS) as FixtureName[];
}
