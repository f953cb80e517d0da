import { readFileSync } from 'node:fs';
import {
  type CrashReport,
  type FirmwareImage,
  openFirmware,
  readCrashDump,
  UnreadableDump,
} from '../../src/crashdump/index.js';
import { DAMAGES, liesOf, substance } from '../crashdump/damage.js';
import { randomly, WRAPPINGS, type Wrapping } from '../crashdump/wrappings.js';
import { fixture } from '../support/fixtures.js';
import { findCaseFile } from '../support/real-cases.js';
import type { AccuracyRow } from './row.js';

export interface ArrivingDump {
  name: string;
  bytes: Uint8Array;
  elf: FirmwareImage | null;
  truth: CrashReport;
  /** The same without the ELF: what is left of a damaged dump may not show that the ELF is its own. */
  truthWithoutElf: CrashReport;
}

/** Our own dumps of several containers, and the real ones that are here. */
export function arrivingDumps(): ArrivingDump[] {
  const own = [
    ['thermostat-1.0.0', 'abort'],
    ['thermostat-1.1.0', 'null-pointer'],
    ['thermostat-1.1.0-b', 'stack-overflow'],
    ['gateway-0.3.0', 'abort'],
  ] as const;
  const real = ['esp32-elf-head', 'esp32-bin-idf-v3.3', 'esp32s3-bin-head', 'esp32c3-elf-head'];
  return [
    ...own.map(([build, crash]) => {
      const { dump, elfPath } = fixture(build);
      return aDump(`${build} ${crash}`, dump(crash), elfPath);
    }),
    ...real.flatMap((name) => {
      const path = findCaseFile(name, 'dump.bin');
      return path === null ? [] : [aDump(name, path, findCaseFile(name, 'firmware.elf'))];
    }),
  ];
}

function aDump(name: string, path: string, elfPath: string | null): ArrivingDump {
  const bytes = readFileSync(path);
  const elf = elfPath === null ? null : openFirmware(readFileSync(elfPath));
  const truth = readCrashDump({ core: bytes, elf }).report;
  return { name, bytes, elf, truth, truthWithoutElf: readCrashDump({ core: bytes, elf: null }).report };
}

export interface Outcome {
  what: string;
  result: 'right' | 'named' | 'wrong';
  detail: string;
}

/** The oracle is the raw dump's own report: a text must not change it. */
export function readWrapped(
  { name, bytes, elf, truth }: ArrivingDump,
  { name: shape, wrap }: Wrapping,
): Outcome {
  const what = `${name} as ${shape}`;
  try {
    const { report } = readCrashDump({ core: wrap(bytes), elf });
    const isSame = JSON.stringify(substance(report)) === JSON.stringify(substance(truth));
    return { what, result: isSame ? 'right' : 'wrong', detail: isSame ? '' : messages(report) };
  } catch (error) {
    if (!(error instanceof UnreadableDump)) throw error;
    return { what, result: 'wrong', detail: error.message };
  }
}

/** Shapes whose lines a serial line can damage. */
const LINED = WRAPPINGS.filter(({ name }) =>
  ['a console log', 'PlatformIO times', 'ESPHome levels', 'a quote', 'a log line of IDF'].includes(name),
);

export function readDamaged(dump: ArrivingDump, seed: number): Outcome[] {
  return LINED.flatMap((wrapping) =>
    DAMAGES.flatMap(({ name, inflict }): Outcome[] => {
      const what = `${dump.name} as ${wrapping.name}, ${name}, seed ${seed}`;
      const text = Buffer.from(wrapping.wrap(dump.bytes)).toString('latin1');
      const lines = inflict(text.split('\r\n'), randomly(what));
      if (lines === null) return [];
      try {
        const core = Buffer.from(lines.join('\r\n'), 'latin1');
        const { report } = readCrashDump({ core, elf: dump.elf });
        const ofNoElf = report.usesElf ? null : liesOf(report, dump.truthWithoutElf);
        const lies = liesOf(report, dump.truth).filter((lie) => ofNoElf?.includes(lie) ?? true);
        if (lies.length > 0)
          return [{ what, result: 'wrong', detail: `${lies.join(', ')} | ${messages(report)}` }];
        const isSame = JSON.stringify(substance(report)) === JSON.stringify(substance(dump.truth));
        return [{ what, result: isSame ? 'right' : 'named', detail: messages(report) }];
      } catch (error) {
        if (!(error instanceof UnreadableDump)) throw error;
        return [{ what, result: 'named', detail: error.message }];
      }
    }),
  );
}

function messages({ warnings }: CrashReport): string {
  return warnings.map(({ message }) => message).join(' ');
}

/** How core dumps arrive: as text, damaged, cut. */
export async function measureArrival(): Promise<AccuracyRow[]> {
  const dumps = arrivingDumps();
  const wrapped = dumps.flatMap((dump) => WRAPPINGS.map((wrapping) => readWrapped(dump, wrapping)));
  const damaged = dumps.flatMap((dump) => [0, 1, 2, 3, 10, 11].flatMap((seed) => readDamaged(dump, seed)));
  const remark = 'oracle: the report of the raw dump';
  return [row('dumps as text', wrapped, remark), row('damaged text', damaged, remark)];
}

function row(kind: string, outcomes: readonly Outcome[], remark: string): AccuracyRow {
  const count = (result: Outcome['result']) => outcomes.filter((outcome) => outcome.result === result).length;
  return {
    kind,
    tried: outcomes.length,
    right: count('right'),
    namedMissing: count('named'),
    wrong: count('wrong'),
    remark,
  };
}
