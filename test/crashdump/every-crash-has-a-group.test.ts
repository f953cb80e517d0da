import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readReport, storedReport } from '../../src/coredumps/report-schema.js';
import { describeCrash } from '../../src/crash-groups/describe-crash.js';
import {
  type CrashReport,
  type FirmwareImage,
  fingerprint,
  openFirmware,
  readCrashDump,
  UnreadableDump,
} from '../../src/crashdump/index.js';
import { readCases, readFixtures, type Specimen } from '../fuzz/corpus.js';
import { createRandom, mutate } from '../fuzz/mutate.js';
import { findCaseFile, SEARCHED } from '../support/real-cases.js';

const own = readFixtures();
const given = [...readCases(), ...givenFiles()];
const images = new Map<string, FirmwareImage>();
const stripped = new Map<FirmwareImage, FirmwareImage>();

describe('every crash has a group', { timeout: 120_000 }, () => {
  it('with its ELF, without debug information, without an ELF and with a wrong one: our fixtures', () => {
    expect(own.length).toBeGreaterThan(15);
    for (const specimen of own) readInEveryWay(specimen, imageOf(own[0]?.elf ?? specimen.elf));
  });

  const skipped = given.length === 0 ? ` (skipped: none in ${SEARCHED})` : '';
  it.skipIf(given.length === 0)(
    `the same of real dumps and given ones${skipped}`,
    { timeout: 120_000 },
    () => {
      for (const specimen of given) readInEveryWay(specimen, imageOf(own[0]?.elf ?? specimen.elf));
    },
  );

  it('of broken dumps, as far as they are dumps', () => {
    const random = createRandom(15);
    const corpus = [...own, ...given.slice(0, 8)];
    let reports = 0;
    for (let run = 0; run < 900; run++) {
      const specimen = corpus[run % corpus.length];
      const other = corpus[Math.floor(random() * corpus.length)];
      if (specimen === undefined || other === undefined) continue;
      const core = mutate(specimen.core, other.core, random);
      const report = readOrNull(core, random() < 0.5 ? imageOf(specimen.elf) : null);
      if (report === null) continue;
      reports += 1;
      expectGroup(report, specimen.name);
    }
    expect(reports).toBeGreaterThan(200);
  });

  it('of another one for each place, and the same for one place in two builds', () => {
    const of = (name: string) => {
      const specimen = own.find((candidate) => candidate.name === name);
      if (specimen === undefined) throw new Error(`there is no ${name}`);
      const read = (elf: FirmwareImage | null) =>
        readCrashDump({ core: specimen.core, elf }).report.fingerprint;
      return { named: read(imageOf(specimen.elf)), nameless: read(null) };
    };
    const [one, other, abort] = [
      of('thermostat-1.1.0-null-pointer.dmp'),
      of('thermostat-1.0.0-null-pointer.dmp'),
      of('thermostat-1.1.0-abort.dmp'),
    ];

    expect(one.named).toBe(other.named);
    // Addresses mean something in their own build only.
    expect(new Set([one, other, abort].map(({ nameless }) => nameless)).size).toBe(3);
    expect(one.nameless).not.toBe(one.named);
  });
});

function readInEveryWay({ name, core, elf }: Specimen, wrong: FirmwareImage) {
  const image = imageOf(elf);
  for (const firmware of [image, withoutDebugInformation(elf, image), null, wrong]) {
    const report = readOrNull(core, firmware);
    if (report === null) continue;
    expectGroup(report, name);
    expect(describeCrash(report).title, name).not.toMatch(/0x[0-9a-f]{5}/);
    if (!report.usesElf) expect(report.culprit, name).toBeNull();
  }
}

/** Its fingerprint follows from the report alone, so that it can be computed again from a stored one. */
function expectGroup(report: CrashReport, name: string) {
  expect(report.fingerprint, name).toMatch(/^v2:[0-9a-f]{16}$/);
  expect(fingerprint(report), name).toBe(report.fingerprint);
  const stored: object = JSON.parse(storedReport(report));
  expect(readReport({ ...stored, fingerprint: null })?.fingerprint, name).toBe(report.fingerprint);
  expect(describeCrash(report).title, name).not.toBe('');
}

function readOrNull(core: Uint8Array, elf: FirmwareImage | null): CrashReport | null {
  try {
    return readCrashDump({ core, elf }).report;
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}

function imageOf(elf: Buffer): FirmwareImage {
  const key = createHash('sha256').update(elf).digest('hex');
  const image = images.get(key) ?? openFirmware(elf);
  images.set(key, image);
  return image;
}

/** The sections get other names, so nobody finds them. */
function withoutDebugInformation(elf: Buffer, image: FirmwareImage): FirmwareImage {
  const known = stripped.get(image);
  if (known !== undefined) return known;
  const bytes = Buffer.from(elf.toString('latin1').replaceAll('\0.debug_', '\0.hidden'), 'latin1');
  const opened = { ...openFirmware(bytes), sha256: image.sha256 };
  stripped.set(image, opened);
  return opened;
}

/** The dumps in `field/` and `reader/`, which have their firmware beside them or in a case. */
function givenFiles(): Specimen[] {
  const esp32 = findCaseFile('esp32-elf-head', 'firmware.elf');
  const field = findCaseFile('field', 'README.md');
  const reader = findCaseFile('reader', 'README.md');
  const found: Specimen[] = [];
  if (field !== null && esp32 !== null) {
    const folder = join(field, '..');
    const elf = readFileSync(esp32);
    for (const file of readdirSync(folder))
      if (!file.endsWith('.md')) found.push({ name: file, core: readFileSync(join(folder, file)), elf });
  }
  for (const entry of reader === null ? [] : readdirSync(join(reader, '..'), { withFileTypes: true })) {
    const folder = join(reader ?? '', '..', entry.name);
    if (!entry.isDirectory()) continue;
    const files = readdirSync(folder);
    for (const dump of files.filter((file) => file.endsWith('.bin'))) {
      const elf =
        files.find((file) => file === dump.replace(/\.bin$/, '.elf')) ??
        files.find((file) => file.endsWith('.elf'));
      if (elf === undefined) continue;
      const [core, firmware] = [dump, elf].map((file) => readFileSync(join(folder, file)));
      if (core !== undefined && firmware !== undefined) found.push({ name: dump, core, elf: firmware });
    }
  }
  return found;
}
