import {
  type FirmwareImage,
  Malformed,
  openFirmware,
  peekDump,
  readCrashDump,
  UnreadableDump,
  UnreadableFirmware,
} from '../../src/crashdump/index.js';
import type { Specimen } from './corpus.js';
import { createRandom, mutate } from './mutate.js';

/** `text`: a report about what is no core dump. */
export type Outcome = 'report' | 'text' | 'refused';

/** Of a hundred runs these break the firmware and not the dump. */
const ELF_SHARE = 0.1;
/** Of the broken firmwares these are real ones, whose opening takes much longer. */
const LARGE_SHARE = 0.1;
const LARGE_BYTES = 1024 * 1024;
/** What the sidecar sends at most. */
const MAX_ANSWER_LENGTH = 8 * 1024 * 1024;

/**
 * Runs of the fuzzer: each takes one specimen, breaks its dump or its firmware, and reads it. What is broken how
 * follows from the seed and the number of the run, so that one run can be had again.
 */
export function createExperiment(corpus: readonly Specimen[], seed: number) {
  const images = new Map<Buffer, FirmwareImage>();
  const small = corpus.filter(({ elf }) => elf.length < LARGE_BYTES);

  /** @throws whatever the reader must not throw */
  return function run(number: number): Outcome {
    const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
    const breaksElf = random() < ELF_SHARE;
    const from = breaksElf && small.length > 0 && random() > LARGE_SHARE ? small : corpus;
    const specimen = pick(from, random);
    const other = pick(from, random);
    try {
      const elf = breaksElf ? openFirmware(mutate(specimen.elf, other.elf, random)) : imageOf(specimen.elf);
      const core = breaksElf ? specimen.core : mutate(specimen.core, other.core, random);
      peekDump(core);
      const { report, output } = readCrashDump({ core, elf, printMemory: random() < 0.1 });
      const length = JSON.stringify({ report, output }).length;
      if (length > MAX_ANSWER_LENGTH) throw new Error(`the answer has ${length} characters`);
      return report.source === 'core_dump' ? 'report' : 'text';
    } catch (error) {
      const isRefusal =
        error instanceof UnreadableDump || error instanceof UnreadableFirmware || error instanceof Malformed;
      if (!isRefusal) throw error;
      return 'refused';
    }
  };

  function imageOf(elf: Buffer): FirmwareImage {
    const image = images.get(elf) ?? openFirmware(elf);
    images.set(elf, image);
    return image;
  }
}

function pick(corpus: readonly Specimen[], random: () => number): Specimen {
  const specimen = corpus[Math.floor(random() * corpus.length)];
  if (specimen === undefined) throw new Error('the corpus is empty');
  return specimen;
}
