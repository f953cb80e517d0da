import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CrashReport, readCrashDump, type StackFrame } from '../../src/crashdump/index.js';
import { everyCrash } from '../support/fixtures.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';
import { backtraceLine, openDump, printPanic } from './panic-texts.js';

/** What idf_monitor asks, and what reads DWARF of Xtensa. Each address as it is printed. */
const PROGRAMS = ['riscv64-unknown-elf-addr2line', 'llvm-addr2line'].filter(isThere);
const XTENSA = ['esp32-elf-head', 'esp32s3-bin-head', 'esp32-bin-idf-v3.3'];

describe.skipIf(PROGRAMS.length === 0)('functions, inlines and lines of printed addresses', () => {
  it.each(everyCrash())('are those of addr2line for $title', ({ build, crash }) => {
    const core = readFileSync(build.dump(crash));
    const text = printPanic(openDump(core), 'Load access fault');

    const { report } = readCrashDump({ core: Buffer.from(text), elf: readFileSync(build.elfPath) });

    expectAsTold(report, build.elfPath, PROGRAMS);
  });

  it.each(XTENSA)('are those of addr2line for the backtrace line of the real %s alone', (name) => {
    const [dump, firmware] = ['dump.bin', 'firmware.elf'].map((file) => findCaseFile(name, file));
    if (!dump || !firmware) return expect(missingFiles(name, ['dump.bin', 'firmware.elf'])).not.toBe('');
    const line = backtraceLine(openDump(readFileSync(dump)));
    const printed = [...line.matchAll(/(0x[0-9a-f]{8}):/g)].map(([, address = '']) => address);

    const { report } = readCrashDump({ core: Buffer.from(line), elf: readFileSync(firmware) });

    expect(placesOf(report)).toEqual(told('llvm-addr2line', firmware, printed, report));
    expect(report.tasks[0]?.frames.length).toBeGreaterThanOrEqual(printed.length);
  });
});

function expectAsTold(report: CrashReport, elf: string, programs: readonly string[]): void {
  const addresses = functionsOf(report).map(([{ pc }], level) =>
    level === 0 ? pc : `0x${(Number(pc) - 1).toString(16)}`,
  );
  for (const program of programs) expect(placesOf(report)).toEqual(told(program, elf, addresses, report));
}

type Inlined = [StackFrame, ...StackFrame[]];

/** The frames of each function on the stack: those of the calls inlined into it, then its own. */
function functionsOf({ tasks }: CrashReport): Inlined[] {
  const functions: Inlined[] = [];
  let isInside = false;
  for (const frame of tasks[0]?.frames ?? []) {
    if (isInside) functions.at(-1)?.push(frame);
    else functions.push([frame]);
    isInside = frame.inlined;
  }
  return functions;
}

function placesOf(report: CrashReport): string[][] {
  return functionsOf(report).map((frames) =>
    frames.map(({ function: name, file, line }) => `${bare(name, file)} ${file ?? '??'}:${line ?? '?'}`),
  );
}

/** ROM code is in no ELF here. */
function told(program: string, elf: string, addresses: readonly string[], report: CrashReport): string[][] {
  const output = execFileSync(program, ['-fiaC', '-e', elf, ...addresses], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ours = functionsOf(report);
  return output
    .split(/^0x[0-9a-f]+\n/m)
    .slice(1)
    .map((text, index) => {
      if (ours[index]?.[0].inRom) return ['?? ??:?'];
      const lines = text.trimEnd().split('\n');
      return lines.flatMap((name, at) => {
        if (at % 2 === 1) return [];
        const [file = '', line] = place(lines[at + 1] ?? '');
        // Marks of code and data in the symbol table are no functions.
        const isMark = /^\$[dx]/.test(name);
        const own = ours[index]?.[at / 2]?.function ?? null;
        return [`${bare(isMark ? own : name, file)} ${file}:${line}`];
      });
    });
}

function place(text: string): string[] {
  const found = /^(.*):(\d+|\?)(?: \(discriminator \d+\))?$/.exec(text);
  return [found?.[1] ?? '', found?.[2] === '0' ? '?' : (found?.[2] ?? '?')];
}

/** Without suffixes of clones in symbols. Names of C++ are written in different ways: for them the line decides. */
function bare(name: string | null, file: string | null): string {
  if (/\.[ch]pp$/.test(file ?? '')) return 'C++';
  return (name ?? '??').replace(/\.(?:constprop|isra|part|lto_priv|cold).*$/, '');
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
