import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Dumps of real devices (`COREDUMP_CASES`, else ../cases), when they are there. */
export function readCases(): Specimen[] {
  const folder = process.env.COREDUMP_CASES ?? '../cases';
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'firmware.elf')))
    .map((name) => ({
      name,
      core: readFileSync(join(folder, name, 'dump.bin')),
      elf: readFileSync(join(folder, name, 'firmware.elf')),
    }));
}
