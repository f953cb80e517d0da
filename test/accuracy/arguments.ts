import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { riscv } from '../../src/crashdump/arch/riscv/riscv.js';
import { openFirmware } from '../../src/crashdump/firmware/open-firmware.js';
import { backtrace } from '../../src/crashdump/report/backtrace.js';
import type { AccuracyRow } from './row.js';

/**
 * Arguments at each instruction of a program (test/fixtures/unwind/source/arguments.c) in which each function is called
 * once, with known values, and never changes its parameters. What the reader shows must be these values, or a reason
 * why it does not know; that GDB shows something is no excuse.
 */
export const ARGUMENT_BUILDS = ['gcc-O2', 'gcc-Os', 'gcc-Og', 'clang-O1', 'clang-O2'] as const;

interface Recording {
  /** The address behind the stack. */
  top: number;
  /** pc and x1 to x31; the upper end of the stack in hexadecimal digits; GDB's frames with arguments. */
  steps: { registers: number[]; stack: string; gdb: [string, Record<string, string>][] }[];
}

export interface ArgumentsResult {
  tried: number;
  right: number;
  /** `<optimized out>` and the like. */
  unknown: number;
  wrong: string[];
  /** Of the values that GDB shows. */
  gdbWrong: number;
  /** GDB's value is right, and comes from a place that keeps it; ours is unknown. */
  lost: string[];
}

export async function measureArguments(): Promise<AccuracyRow[]> {
  return ARGUMENT_BUILDS.map((build) => {
    const { tried, right, unknown, wrong, gdbWrong } = compareArguments(build);
    return {
      kind: `arguments, every step of ${build}`,
      tried,
      right,
      namedMissing: unknown,
      wrong: wrong.length,
      remark: `oracle: the values that the program passes; GDB is wrong for ${gdbWrong}`,
    };
  });
}

export function compareArguments(build: (typeof ARGUMENT_BUILDS)[number]): ArgumentsResult {
  const file = (name: string) => readFileSync(new URL(`../fixtures/unwind/${name}`, import.meta.url));
  const truths: Record<string, Record<string, string>> = JSON.parse(file('arguments.json').toString());
  const recording: Recording = JSON.parse(gunzipSync(file(`arguments-${build}.json.gz`)).toString());
  const firmware = openFirmware(gunzipSync(file(`arguments-${build}.elf.gz`)));
  const truthOf = (fn: string | null, name: string) => truths[fn ?? '']?.[name.replace(/@.*/, '')];
  const result: ArgumentsResult = { tried: 0, right: 0, unknown: 0, wrong: [], gdbWrong: 0, lost: [] };

  for (const [number, { registers, stack, gdb }] of recording.steps.entries()) {
    const bytes = Buffer.from(stack, 'hex');
    const low = recording.top - bytes.length;
    const [pc = 0, ...general] = registers;
    const { frames } = backtrace(
      { pc, general: [0, ...general], special: new Map() },
      {
        architecture: riscv,
        chip: null,
        firmware,
        roms: [],
        read: (address, length) =>
          address >= low && address + length <= recording.top
            ? bytes.subarray(address - low, address - low + length)
            : firmware.readAt(address, length),
        budget: { frames: 1000, instructions: 100_000 },
      },
    );
    const shown = frames.map((frame): [string | null, Record<string, string>] => [
      frame.function,
      Object.fromEntries(frame.arguments.map(({ name, value }) => [name, value])),
    ]);
    for (const [level, [fn, values]] of shown.entries()) {
      for (const [name, value] of Object.entries(values)) {
        const truth = truthOf(fn, name);
        if (truth === undefined) continue;
        const words = `step ${number}, pc 0x${pc.toString(16)}, #${level} ${fn}: ${name}=${value}, truth ${truth}`;
        result.tried += 1;
        if (isUnknown(value)) result.unknown += 1;
        else if (isSame(value, truth)) result.right += 1;
        else result.wrong.push(words);
      }
    }
    const oursOf = new Map(shown);
    for (const [level, [fn, values]] of gdb.entries()) {
      for (const [name, value] of Object.entries(values)) {
        const truth = truthOf(fn, name);
        if (truth === undefined || isUnknown(value)) continue;
        const ours = oursOf.get(fn) ?? {};
        if (!isSame(value, truth)) result.gdbWrong += 1;
        else if (!isSame(ours[name] ?? '', truth))
          result.lost.push(
            `step ${number}, pc 0x${pc.toString(16)}, #${level} ${fn}: ${name}=${ours[name]}, GDB ${value}`,
          );
      }
    }
  }
  return result;
}

function isUnknown(shown: string): boolean {
  const value = shown.replace(/^\w+@entry=/, '');
  return value === '<optimized out>' || value === '<synthetic pointer>' || value.startsWith('<error');
}

/** A value that is still that of the entry is shown as `x=x@entry=3`. A text has its address in front. */
function isSame(shown: string, truth: string): boolean {
  const value = shown.replace(/^\w+@entry=/, '');
  return value === truth || (truth.startsWith('"') && value.endsWith(` ${truth}`));
}
