import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { completeCases, findCaseFile } from '../support/real-cases.js';

export interface Specimen {
  name: string;
  core: Buffer;
  elf: Buffer;
}

const FIXTURES = 'test/fixtures/firmware';

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
