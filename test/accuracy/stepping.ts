import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { riscv } from '../../src/crashdump/arch/riscv/riscv.js';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import { openFirmware } from '../../src/crashdump/firmware/open-firmware.js';
import { backtrace } from '../../src/crashdump/report/backtrace.js';
import type { AccuracyRow } from './row.js';

/**
 * Programs that were stepped instruction by instruction (test/fixtures/stepping): at each step the reader gets the
 * registers and the stack, as a dump would hold them, and is compared with live GDB and with the call chain that the
 * recorder kept from the executed calls and returns.
 */
const FOLDER = new URL('../fixtures/stepping/', import.meta.url);

/** As record.py writes it; a frame is [pc, index of its name, kind]. */
interface Recording {
  low: number;
  top: number;
  texts: string[];
  /** Innermost first: addresses behind the tail calls that led into frame 0; then [return address, tail calls]. */
  truths: [number[], ...[number, number[]][]][];
  chains: [number, number, number][][];
  steps: Step[];
}

/** Changed registers, changed words of the stack, index of the truth, GDB's frame 0 and the index of its callers. */
type Step = [[number, number][], [number, number][], number, [number, number, number]];

export interface SteppingResult {
  name: string;
  steps: number;
  equalToGdb: number;
  /** GDB shows a function that was not called, or fewer; what the reader does not show either, its end explains. */
  better: string[];
  /** GDB has more that is true; `backtraceEnd` says why. */
  namedMissing: string[];
  wrong: string[];
}

/** Kind of a frame: a function that was inlined into the next one. */
const INLINED = 1;

export function steppedPrograms(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.steps.gz'))
    .map((name) => name.replace('.steps.gz', ''));
}

export async function measureStepping(): Promise<AccuracyRow[]> {
  return steppedPrograms().map((name) => {
    const result = replay(name);
    return {
      kind: `every step of ${name}`,
      tried: result.steps,
      right: result.equalToGdb + result.better.length,
      namedMissing: result.namedMissing.length,
      wrong: result.wrong.length,
      remark: `equal to GDB ${result.equalToGdb}, GDB shows less or what was not called ${result.better.length}`,
    };
  });
}

export function replay(name: string): SteppingResult {
  const recording: Recording = JSON.parse(
    gunzipSync(readFileSync(new URL(`${name}.steps.gz`, FOLDER))).toString(),
  );
  const firmware = openFirmware(gunzipSync(readFileSync(new URL(`${name}.elf.gz`, FOLDER))));
  const result: SteppingResult = {
    name,
    steps: 0,
    equalToGdb: 0,
    better: [],
    namedMissing: [],
    wrong: [],
  };
  const registers = new Array<number>(32).fill(0);
  const stack = new DataView(new ArrayBuffer(recording.top - recording.low));
  for (const [changed, written, truthIndex, [name0, kind0, rest]] of recording.steps) {
    for (const [register, value] of changed) registers[register] = value;
    for (const [word, value] of written) stack.setUint32(word * 4, value, true);
    const pc = registers[0] ?? 0;
    const { frames, end } = backtraceOf(registers, stack, recording.low, firmware);
    const theirs = [[pc, name0, kind0] as const, ...(recording.chains[rest] ?? [])].filter(
      ([at], level) => level === 0 || at !== 0,
    );
    const gdb = theirs.map(([at, text]) => `${at.toString(16)} ${bare(recording.texts[text])}`);
    const ours = frames.map((frame) => `${Number(frame.pc).toString(16)} ${bare(frame.function)}`);
    const truth = recording.truths[truthIndex] ?? [[]];
    const shown = frames.map((frame) => ({ pc: Number(frame.pc), inlined: frame.inlined }));
    const our = compareWithTruth(shown, pc, truth);
    const their = compareWithTruth(
      theirs.map(([at, , kind]) => ({ pc: at, inlined: kind === INLINED })),
      pc,
      truth,
    );
    result.steps++;
    const seen = `\n  ours ${ours.join(', ')}\n  gdb  ${gdb.join(', ')}`;
    if (our.invented !== null) result.wrong.push(`step ${result.steps}: invented ${our.invented}${seen}`);
    else if (our.isWhole !== (end === null))
      result.wrong.push(
        `step ${result.steps}: ${our.isWhole ? 'whole' : 'not whole'}, ends with "${end}"${seen}`,
      );
    else if (ours.join() === gdb.join()) result.equalToGdb++;
    else if (addresses(ours) === addresses(gdb)) result.wrong.push(`step ${result.steps}: names${seen}`);
    else if (their.invented === null && their.shown > our.shown)
      result.namedMissing.push(`step ${result.steps}: "${end}"${seen}`);
    else result.better.push(`step ${result.steps}: "${end}"${seen}`);
  }
  return result;
}

/** The dump holds the stack from its pointer on; what lies below is no longer there. */
function backtraceOf(registers: readonly number[], stack: DataView, low: number, firmware: FirmwareImage) {
  const [pc = 0, ...general] = registers;
  const sp = general[1] ?? 0;
  const start = { pc, general: [0, ...general], special: new Map<string, number>() };
  return backtrace(start, {
    architecture: riscv,
    chip: null,
    firmware,
    roms: [],
    read: (address, length) =>
      address >= sp && address >= low && address + length <= low + stack.byteLength
        ? new Uint8Array(stack.buffer, address - low, length)
        : firmware.readAt(address, length),
    budget: { frames: 1000, instructions: 1_000_000 },
  });
}

interface Comparison {
  /** The first frame that is not in the chain, in its order. */
  invented: string | null;
  isWhole: boolean;
  /** Functions of the chain that are shown. */
  shown: number;
}

/** Each frame that stands for a function of its own must be in the chain, in its order. */
function compareWithTruth(
  frames: readonly { pc: number; inlined: boolean }[],
  pc: number,
  [tails, ...callers]: [number[], ...[number, number[]][]],
): Comparison {
  const chain = [
    { pc, isOptional: false },
    ...tails.map((at) => ({ pc: at, isOptional: true })),
    ...callers.flatMap(([at, replaced]) => [
      { pc: at, isOptional: false },
      ...replaced.map((tail) => ({ pc: tail, isOptional: true })),
    ]),
  ];
  const hasOthers = (from: number, to: number) => chain.slice(from, to).some(({ isOptional }) => !isOptional);
  let next = 0;
  let shown = 0;
  let isWhole = true;
  for (const frame of frames.filter(({ inlined }) => !inlined)) {
    const found = chain.findIndex((entry, index) => index >= next && entry.pc === frame.pc);
    if (found < 0) return { invented: frame.pc.toString(16), isWhole: false, shown };
    isWhole &&= !hasOthers(next, found);
    next = found + 1;
    shown++;
  }
  return { invented: null, isWhole: isWhole && !hasOthers(next, chain.length), shown };
}

/** Without parameters and without the suffixes that the compiler gives to copies. */
function bare(name: string | null | undefined): string {
  return (
    (name ?? '')
      .replace(/\(.*$/, '')
      .replace(/ \[clone .*\]$/, '')
      // GDB shows the hash at the end of Rust's older names.
      .replace(/::h[0-9a-f]{16}$/, '')
      .replace(/^.*::/, '')
      .replace(/\.(constprop|isra|part)\.\d+/g, '')
  );
}

function addresses(frames: readonly string[]): string {
  return frames.map((frame) => frame.replace(/ .*/, '')).join();
}
