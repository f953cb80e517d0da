import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openFirmware } from '../../src/crashdump/firmware/open-firmware.js';
import { readFrameTables, rowIn, rowInWords } from '../support/frame-tables.js';
import { completeCases, findCaseFile } from '../support/real-cases.js';
import type { AccuracyRow } from './row.js';

/**
 * Call-frame information at every address of all functions of an ELF, against readelf. For our own fixtures its answer
 * is committed; for real cases readelf is asked, where the machine has it.
 */
export const FRAME_FIXTURES = ['debug-frame', 'exceptions', 'async', 'mixed', 'clang'] as const;
const READELF = 'riscv64-unknown-elf-readelf';
/** The smallest distance between two instructions. */
const STEP = 2;

export interface CallFrameResult {
  functions: number;
  tried: number;
  right: number;
  wrong: string[];
}

export async function measureCallFrames(): Promise<AccuracyRow[]> {
  const rows = FRAME_FIXTURES.map((name) => accuracyRow(`call frames of ${name}`, compareFixture(name)));
  for (const name of hasReadelf() ? completeCases() : []) {
    const elf = findCaseFile(name, 'firmware.elf') ?? '';
    if (openFirmware(readFileSync(elf)).machine !== 'riscv') continue;
    rows.push(accuracyRow(`call frames of ${name}`, compareWithReadelf(elf)));
  }
  return rows;
}

export function compareFixture(name: (typeof FRAME_FIXTURES)[number]): CallFrameResult {
  const path = (file: string) => fileURLToPath(new URL(`../fixtures/unwind/${file}`, import.meta.url));
  return compare(readFileSync(path(`${name}.elf`)), readFileSync(path(`${name}.frames.txt`), 'utf8'));
}

/** @param elf path */
export function compareWithReadelf(elf: string): CallFrameResult {
  const tables = execFileSync(READELF, ['--debug-dump=frames-interp', elf], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return compare(readFileSync(elf), tables);
}

export function hasReadelf(): boolean {
  return existsSync(`/usr/bin/${READELF}`);
}

function compare(elf: Uint8Array, text: string): CallFrameResult {
  const firmware = openFirmware(elf);
  const tables = readFrameTables(text);
  const result: CallFrameResult = { functions: tables.length, tried: 0, right: 0, wrong: [] };
  for (const table of tables) {
    for (let pc = table.start; pc < table.end; pc += STEP) {
      result.tried += 1;
      const row = firmware.cfiAt(pc);
      const ours = row === null ? 'nothing' : rowInWords(row);
      const theirs = rowIn(table, pc);
      if (ours === theirs) result.right += 1;
      else result.wrong.push(`0x${pc.toString(16)}: ${ours} instead of ${theirs}`);
    }
  }
  return result;
}

function accuracyRow(kind: string, { functions, tried, right, wrong }: CallFrameResult): AccuracyRow {
  const remark = `every address of ${functions} functions; oracle: binutils readelf`;
  return { kind, tried, right, namedMissing: 0, wrong: wrong.length, remark };
}
