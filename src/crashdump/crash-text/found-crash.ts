import { chipByName } from '../arch/chips.js';
import { printable } from '../printable.js';
import type { CrashText, PrintedCall, PrintedCore, PrintedMemory } from './crash-text.js';

/** A crash in the lines of a text, as the reader of one shape found it. */
export interface FoundCrash
  extends Omit<CrashText, 'source' | 'chip' | 'firmwareVersion' | 'logLines' | 'warnings'> {
  /** Indexes of its first and last line. */
  first: number;
  last: number;
  /** What is missing of it, in words; empty when it is whole. */
  missing: readonly string[];
}

/** One that is being read; who reads it fills it. */
export interface CoreDraft {
  core: number | null;
  task: string | null;
  inInterrupt: boolean | null;
  registers: Map<string, number>;
  calls: PrintedCall[];
  callsEnd: PrintedCore['callsEnd'];
  stack: PrintedMemory[];
}

export function newCore(core: number | null = null): CoreDraft {
  return { core, task: null, inInterrupt: null, registers: new Map(), calls: [], callsEnd: null, stack: [] };
}

/** A crash about which nothing is known yet. */
export function noCrash(shape: CrashText['shape'], first: number): FoundCrash & { cores: CoreDraft[] } {
  return {
    shape,
    architecture: null,
    details: null,
    exceptionName: null,
    exceptionDetails: [],
    cause: null,
    faultAddress: null,
    watchdogTasks: [],
    cores: [newCore()],
    appElfSha256: null,
    isCrash: true,
    first,
    last: first,
    missing: [],
  };
}

/** More than any device prints. */
export const MOST_DETAILS = 64;
export const MOST_CALLS = 512;
const LONGEST_LINE = 1024;

/** A line of the device, safe to show and bounded. */
export function clean(line: string): string {
  return printable(line.slice(0, LONGEST_LINE)).replaceAll('\n', '\\x0a');
}

/** Whether there is an address that an ELF can explain. */
export function hasAddresses(cores: readonly PrintedCore[]): boolean {
  return cores.some(
    ({ registers, calls }) => calls.length > 0 || registers.has('pc') || registers.has('mepc'),
  );
}

/** "esp32s3" of "ESP32-S3 (QFN56)", "ESP32-D0WD-V3", "esp32c3-api1-20210207"; null for other words. */
export function chipNamed(words: string): string | null {
  const found = /^(esp32)[-_ ]?((?:[shc]\d{1,2}|p4))?(?![a-z0-9])/i.exec(words);
  if (found) return chipByName(`${found[1]}${found[2] ?? ''}`)?.name ?? null;
  return /^esp32(?![a-z0-9])/i.test(words) ? 'esp32' : null;
}
