import { readFileSync } from 'node:fs';
import {
  type CrashReport,
  type FirmwareImage,
  openFirmware,
  readCrashDump,
} from '../../src/crashdump/index.js';
import { fixture, fixtureNames } from '../support/fixtures.js';
import { completeCases, findCaseFile, SEARCHED } from '../support/real-cases.js';
import type { AccuracyRow } from './row.js';

/** A dump with the build that wrote it. */
export interface Written {
  name: string;
  dump: Uint8Array;
  build: string;
  elf: Uint8Array;
}

/** What became of a dump that was read with the build of another. */
export type Outcome = 'right' | 'left aside' | string;

export function fixtureDumps(): Written[] {
  return fixtureNames().flatMap((build) => {
    const { elfPath, crashes, dump } = fixture(build);
    const elf = readFileSync(elfPath);
    return crashes.map((crash) => ({
      name: `${build}, ${crash}`,
      dump: readFileSync((dump as (crash: string) => string)(crash)),
      build,
      elf,
    }));
  });
}

export function realDumps(): Written[] {
  return completeCases().map((name) => ({
    name,
    dump: readFileSync(findCaseFile(name, 'dump.bin') ?? ''),
    build: name,
    elf: readFileSync(findCaseFile(name, 'firmware.elf') ?? ''),
  }));
}

/** The dump as of a build without a hash: digits of zeros. Its checksum is wrong then, which is only a warning. */
export function withoutHash(dump: Uint8Array, elf: Uint8Array): Uint8Array {
  const digits = readCrashDump({ core: dump, elf }).report.appElfSha256;
  if (digits === null) return dump;
  const bytes = Buffer.from(dump);
  for (let at = bytes.indexOf(digits); at >= 0; at = bytes.indexOf(digits))
    bytes.fill('0', at, at + digits.length);
  return bytes;
}

/** The same code in another file: its hash differs. */
export function rebuilt(elf: Uint8Array): Uint8Array {
  return Buffer.concat([elf, Buffer.alloc(1)]);
}

/**
 * Reads a dump with a build, and compares every name with what the right build says of the same address.
 * @returns what is wrong, in words
 */
export function outcomeOf(written: Written, dump: Uint8Array, elf: FirmwareImage): Outcome {
  const right = rightReport(written);
  const found = readCrashDump({ core: dump, elf }).report;
  const invented = inventionsIn(found, right);
  if (invented.length > 0) return `${written.name}: ${invented.slice(0, 5).join(', ')}`;
  return found.usesElf ? 'right' : 'left aside';
}

const rightReports = new WeakMap<Written, CrashReport>();

function rightReport(written: Written): CrashReport {
  const report = rightReports.get(written) ?? readCrashDump({ core: written.dump, elf: written.elf }).report;
  rightReports.set(written, report);
  return report;
}

function inventionsIn(found: CrashReport, right: CrashReport): string[] {
  const names = new Set(right.tasks.flatMap(framesOf).map(({ pc, function: name }) => `${pc} ${name}`));
  const symbols = new Set(right.tasks.flatMap(({ registers }) => registers).map(({ symbol }) => symbol));
  const frames = found.tasks.flatMap((task) => {
    // The addresses of tail calls come from the debug information.
    const inTask = new Set(right.tasks.filter(({ tcb }) => tcb === task.tcb).flatMap(namesOf));
    return framesOf(task)
      .filter(({ pc, function: name }) => name !== null && !names.has(`${pc} ${name}`) && !inTask.has(name))
      .map(({ pc, function: name }) => `${name} at ${pc}`);
  });
  const registers = [...found.registers, ...found.tasks.flatMap((task) => task.registers)]
    .filter(({ symbol }) => symbol !== null && !symbols.has(symbol))
    .map(({ name, symbol }) => `${name} <${symbol}>`);
  const tasks = found.tasks.flatMap((task) => {
    const same = right.tasks.find(({ tcb }) => tcb === task.tcb);
    const wrong = task.name !== same?.name ? [`task ${task.name} for ${same?.name}`] : [];
    const overflow =
      task.stackOverflow !== null && same?.stackOverflow == null
        ? [`${task.name}: ${task.stackOverflow}`]
        : [];
    return [...wrong, ...overflow];
  });
  const blamed = /`([^`]+)`/.exec(found.explanation ?? '')?.[1];
  const blame =
    blamed !== undefined && !right.tasks.flatMap(framesOf).some(({ function: name }) => name === blamed)
      ? [`blames ${blamed}`]
      : [];
  const reason = found.reason === right.reason || !found.usesElf ? [] : [found.reason];
  return [...frames, ...registers, ...tasks, ...blame, ...reason];
}

function framesOf({ frames, interruptedFrames }: CrashReport['tasks'][number]) {
  return [...frames, ...interruptedFrames];
}

function namesOf(task: CrashReport['tasks'][number]) {
  return framesOf(task).map(({ function: name }) => name);
}

/** Every dump with the build of every other. */
export function crossed(all: readonly Written[], prepare: (written: Written) => Uint8Array): Outcome[] {
  const builds = new Map(all.map(({ build, elf }) => [build, openFirmware(elf)]));
  return all.flatMap((written) => {
    const dump = prepare(written);
    return [...builds].flatMap(([build, image]) =>
      build === written.build ? [] : [outcomeOf(written, dump, image)],
    );
  });
}

export async function measureWrongBuilds(): Promise<AccuracyRow[]> {
  const [ours, real] = [fixtureDumps(), realDumps()];
  const hashless = ({ dump, elf }: Written) => withoutHash(dump, elf);
  const remark = 'names of the right build';
  const missing = real.length === 0 ? `none in ${SEARCHED}` : remark;
  return [
    row(
      'another build of ours',
      crossed(ours, ({ dump }) => dump),
      remark,
    ),
    row('another build, no hash in the dump', crossed(ours, hashless), remark),
    row(
      'another real build',
      crossed(real, ({ dump }) => dump),
      missing,
    ),
    row('another real build, no hash in the dump', crossed(real, hashless), missing),
    row(
      'the same code, another hash',
      [...ours, ...real].map((written) =>
        outcomeOf(written, written.dump, openFirmware(rebuilt(written.elf))),
      ),
      remark,
    ),
  ];
}

function row(kind: string, outcomes: readonly Outcome[], remark: string): AccuracyRow {
  const right = outcomes.filter((outcome) => outcome === 'right').length;
  const namedMissing = outcomes.filter((outcome) => outcome === 'left aside').length;
  const wrong = outcomes.length - right - namedMissing;
  return { kind, tried: outcomes.length, right, namedMissing, wrong, remark };
}
