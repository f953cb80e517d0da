import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { createTextExperiment } from '../../fuzz/text-experiment.js';
import { expectTrue } from './checks.js';

/** `npm run fuzz -- texts` is the long form, with other seeds. */
const RUNS = Number(process.env.TEXT_FUZZ_RUNS ?? 3_000);

describe('broken texts', () => {
  it(`have only what stands in them, ${RUNS} runs`, { timeout: 3_600_000 }, () => {
    const run = createTextExperiment(1);
    const outcomes = Array.from({ length: RUNS }, (_, number) => run(number));

    // Both ends are reached: mutations neither hide every crash nor leave all of them whole.
    expect(outcomes.filter((outcome) => outcome === 'crash').length).toBeGreaterThan(RUNS / 4);
    expect(outcomes.filter((outcome) => outcome === 'nothing').length).toBeGreaterThan(RUNS / 20);
  });
});

const FIELD = ['cases', 'shared/cases']
  .map((name) => fileURLToPath(new URL(`../../../../${name}/field`, import.meta.url)))
  .find((path) => existsSync(path));

/** Texts as people have them. */
const EXPECTED: Readonly<Record<string, object | null>> = {
  'p-abort.txt': { details: 'abort() was called at PC 0x400d66b9 on core 0' },
  'p-assert.txt': { details: 'assert failed: xQueueSemaphoreTake queue.c:1549 (pxQueue->uxItemSize == 0)' },
  'p-bt-corrupted.txt': { shape: 'addresses', cores: [{ callsEnd: 'corrupted' }] },
  'p-bt-only.txt': { shape: 'addresses', architecture: 'xtensa' },
  'p-canary.txt': { cores: [{ task: 'loopTask' }] },
  'p-esphome-handler.txt': { shape: 'ESPHome crash report', exceptionName: 'StoreProhibited' },
  'p-html.txt': null,
  'p-riscv.txt': { architecture: 'riscv', exceptionName: 'Load access fault' },
  'p-rust.txt': { shape: 'Rust panic' },
  'p-tasmota.json': { shape: 'Tasmota crash record', cause: 28 },
  'p-word-line.txt': { exceptionName: 'LoadProhibited', appElfSha256: '1b43c5e74f2da138' },
  'p-xtensa-guru.txt': { exceptionName: 'LoadProhibited', appElfSha256: '1b43c5e74f2da138' },
};

describe.skipIf(FIELD === undefined)('texts of the field', () => {
  it.each(FIELD === undefined ? [] : readdirSync(FIELD).filter((file) => file.startsWith('p-')))(
    '%s',
    (file) => {
      const upload = readFileSync(`${FIELD}/${file}`);
      const crash = readCrashText(upload);
      const expected = EXPECTED[file];

      if (crash !== null) expectTrue(crash, upload);
      if (expected == null) expect(crash).toBeNull();
      else expect(crash).toMatchObject(expected);
    },
  );
});
