import { readFileSync } from 'node:fs';
import { openFirmware } from '../../src/crashdump/firmware/open-firmware.js';
import type { AccuracyRow } from './row.js';

/**
 * A program whose functions tail-call each other at random (test/fixtures/unwind/source/tail-calls.mjs). Its graph is
 * known, so a random walk through it is what a device may have done: the state at its end is the last function, and the
 * return address of the function that began it. No frame may be shown of a function that the walk did not pass.
 */
export const COMPILERS = ['gcc', 'clang'] as const;

interface Graph {
  functions: { targets: number[]; isIndirect: boolean; hasDebug: boolean }[];
  /** Index of the function that each root calls. */
  roots: number[];
}

export interface WalkResult {
  tried: number;
  /** Of functions that tail calls replaced. */
  frames: number;
  /** All functions of the walk are shown. */
  whole: number;
  /** Some, because there are other ways, or the debug information does not say. */
  partly: number;
  /** Walks without another way, of which not all is shown. */
  lost: string[];
  invented: string[];
}

const LONGEST_WALK = 30;

export async function measureTailCalls(): Promise<AccuracyRow[]> {
  return COMPILERS.map((compiler) => {
    const { tried, whole, partly, lost, invented } = walkAtRandom(compiler, 10_000);
    return {
      kind: `random tail calls, ${compiler}`,
      tried,
      right: whole + partly,
      namedMissing: 0,
      wrong: invented.length + lost.length,
      remark: `whole chains ${whole}; oracle: the walk through the program's graph`,
    };
  });
}

/** @param change something about the ELF before it is read */
export function walkAtRandom(
  compiler: (typeof COMPILERS)[number],
  steps: number,
  change: (elf: Buffer) => void = () => undefined,
): WalkResult {
  const file = (name: string) => readFileSync(new URL(`../fixtures/unwind/${name}`, import.meta.url));
  const elf = file(`tail-calls-${compiler}.elf`);
  change(elf);
  const firmware = openFirmware(elf);
  const graph: Graph = JSON.parse(file('tail-calls.json').toString());
  const random = randomNumbers(steps);
  const result: WalkResult = { tried: 0, frames: 0, whole: 0, partly: 0, lost: [], invented: [] };

  while (result.tried < steps) {
    const root = random(graph.roots.length);
    const walk = [graph.roots[root] ?? 0];
    // A function that calls itself at its end is a loop, not a call.
    const next = () => others(graph, walk.at(-1) ?? 0);
    for (let left = random(LONGEST_WALK); left > 0 && next().length > 0; left--) {
      walk.push(next()[random(next().length)] ?? 0);
    }
    const last = firmware.symbol(`f${walk.at(-1)}`);
    const returnAddress = callIn(`root${root}`, firmware);
    if (last === null || returnAddress === null) throw new Error('the fixture lacks a function');
    const shown = firmware
      .tailCallsBetween(last.address, returnAddress)
      .map((pc) => Number(firmware.symbolAt(pc - 1)?.name.slice(1)))
      .reverse();
    result.tried += 1;
    result.frames += shown.length;
    const passed = walk.slice(0, -1);
    const words = `root${root}: ${walk.join(' ')}; shown: ${shown.join(' ')}`;
    if (!isInOrder(shown, passed)) result.invented.push(words);
    else if (shown.length === passed.length) result.whole += 1;
    else if (isOnlyWay(graph, walk)) result.lost.push(words);
    else result.partly += 1;
  }
  return result;
}

function others({ functions }: Graph, index: number): number[] {
  return functions[index]?.targets.filter((target) => target !== index) ?? [];
}

/** The address behind the call of a root: its only call site, found by what its line says about the caller. */
function callIn(name: string, firmware: ReturnType<typeof openFirmware>): number | null {
  const symbol = firmware.symbol(name);
  if (symbol === null) return null;
  for (let pc = symbol.address; pc < symbol.address + symbol.size; pc += 2) {
    const word = firmware.readAt(pc, 4);
    if (word === null) return null;
    const bits = new DataView(word.buffer, word.byteOffset).getUint32(0, true);
    // `jal ra`, `jalr ra` of four bytes, `c.jal`.
    if ((bits & 0xfff) === 0x0ef || (bits & 0xfff) === 0x0e7) return pc + 4;
    if ((bits & 0xe003) === 0x2001) return pc + 2;
    if ((bits & 3) === 3) pc += 2;
  }
  return null;
}

function isInOrder(shown: readonly number[], passed: readonly number[]): boolean {
  let at = 0;
  for (const one of passed) if (shown[at] === one) at += 1;
  return at === shown.length;
}

/** Whether nothing that can be reached from the walk's first function is unknown, and no fork is on the way. */
function isOnlyWay(graph: Graph, walk: readonly number[]): boolean {
  const last = walk.at(-1) ?? 0;
  if (graph.functions[last]?.hasDebug !== true) return false;
  const reached = new Set<number>();
  const open = [walk[0] ?? 0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (reached.has(index) || index === last) continue;
    reached.add(index);
    const fn = graph.functions[index];
    if (fn === undefined || fn.isIndirect || !fn.hasDebug) return false;
    open.push(...others(graph, index));
  }
  const leadsToLast = (index: number, seen = new Set<number>()): boolean =>
    index === last ||
    (!seen.has(index) && others(graph, index).some((target) => leadsToLast(target, seen.add(index))));
  return walk
    .slice(0, -1)
    .every(
      (index) => index !== last && others(graph, index).filter((target) => leadsToLast(target)).length === 1,
    );
}

/** mulberry32 */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
