import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { middleOf, steppedPrograms } from '../accuracy/stepping.js';
import { aTask, CHIP, elfDump } from '../crashdump/builders.js';
import { WRAPPINGS } from '../crashdump/wrappings.js';
import { completeCases, findCaseFile } from '../support/real-cases.js';
import { SAMPLE_ELF, SAMPLE_TEXTS, samplePath } from '../support/sample-texts.js';

export interface Specimen {
  name: string;
  core: Buffer;
  elf: Buffer;
}

const FIXTURES = 'test/fixtures/firmware';

/** A long log takes long to mutate, and is read as a short one. */
const MAX_TEXT = 64 * 1024;

/** Our fixtures' dumps, each with the ELF that it ran: thermostat-1.0.0-abort.dmp ran thermostat-1.0.0.elf. */
export function readFixtures(): Specimen[] {
  const files = readdirSync(FIXTURES);
  const elves = files.filter((file) => file.endsWith('.elf')).sort((a, b) => b.length - a.length);
  return files
    .filter((file) => file.endsWith('.dmp'))
    .map((file) => {
      const elf = elves.find((candidate) => file.startsWith(`${candidate.slice(0, -'.elf'.length)}-`));
      if (elf === undefined) throw new Error(`${file} has no firmware in ${FIXTURES}`);
      return { name: file, core: readFileSync(join(FIXTURES, file)), elf: readFileSync(join(FIXTURES, elf)) };
    });
}

/** Dumps of real devices, where there are some: see test/support/real-cases.ts. */
export function readCases(): Specimen[] {
  return completeCases().map((name) => ({
    name,
    core: readFileSync(findCaseFile(name, 'dump.bin') ?? name),
    elf: readFileSync(findCaseFile(name, 'firmware.elf') ?? name),
  }));
}

/** A small dump in every text that it may arrive in. */
export function readTexts(): Specimen[] {
  const small = readFixtures().reduce((least, next) => (next.core.length < least.core.length ? next : least));
  return WRAPPINGS.map(({ name, wrap }) => ({
    name,
    core: Buffer.from(wrap(small.core)),
    elf: small.elf,
  })).filter(({ core }) => core.length <= MAX_TEXT);
}

/** Panic texts and summaries, each with the ELF of its firmware. */
export function readPanics(): Specimen[] {
  const elf = readFileSync(SAMPLE_ELF);
  return SAMPLE_TEXTS.map((sample) => ({ name: sample.file, core: readFileSync(samplePath(sample)), elf }));
}

/** Programs of every compiler and language, stopped in the middle, with their memory in blocks as a heap has them. */
export function readPrograms(): Specimen[] {
  return steppedPrograms().map((name) => {
    const { elf, registers, low, stack } = middleOf(name);
    const [pc = 0, ...general] = registers;
    const end = low + stack.byteLength;
    // The saved frame lies below the stack pointer.
    const start = Math.max(low, ((general[1] ?? low) & ~0xf) - 0x100);
    const wordAt = (address: number) => stack.getUint32(address - low, true);
    const addresses = Array.from({ length: (end - start) >> 2 }, (_, index) => start + index * 4);
    const task = aTask({
      pc,
      registers: { ...general.map((_, index) => general[index - 1] ?? 0) },
      stackStart: low,
      stackTop: start,
      stackEnd: end,
      stack: Object.fromEntries(
        addresses.filter((address) => address >= start + 0x100).map((at) => [at, wordAt(at)]),
      ),
    });
    const segments = Array.from({ length: 40 }, (_, index) => ({
      address: 0x3fca0000 + index * 0x40,
      bytes: Buffer.alloc(0x20 + (index % 3) * 0x10, index),
    }));
    const appElfSha256 = createHash('sha256').update(elf).digest('hex');
    const core = elfDump(
      { machine: 'riscv', tasks: [task], segments, appElfSha256 },
      'ELF CRC32 v2.1',
      CHIP.esp32c3,
    );
    return { name, core: Buffer.from(core), elf };
  });
}

/** All that there is. */
export function readCorpus(): Specimen[] {
  return [...readFixtures(), ...readTexts(), ...readPanics(), ...readPrograms(), ...readCases()];
}
