import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peekDump, readCrashDump } from '../../src/crashdump/index.js';
import { fixture } from '../support/fixtures.js';
import { SAMPLE_ELF, SAMPLE_TEXTS, samplePath } from '../support/sample-texts.js';

const ELF = readFileSync(SAMPLE_ELF);

describe.each(SAMPLE_TEXTS)('the sample $file', (sample) => {
  const core = readFileSync(samplePath(sample));

  it('is what the devices of the fixtures print', () => {
    expect(core.toString('latin1')).toBe(sample.write());
  });

  it('tells the crash with the ELF', () => {
    const { report, output } = readCrashDump({ core, elf: ELF });

    expect(report).toMatchObject({ source: sample.source, kind: sample.kind, usesElf: true });
    expect(report.culprit?.function ?? null).toBe(sample.culprit);
    expect(report.warnings.some(({ code }) => code === 'NO_CRASH')).toBe(!sample.isCrash);
    expect(output).toContain(`Panic reason: ${report.reason}`);
    for (const frame of report.tasks[0]?.frames ?? []) expect(frame.function).not.toBeNull();
  });

  it.skipIf(sample.sameAs === null)('is in the group of its dump', () => {
    const dump = readFileSync(fixture('thermostat-1.0.0').dump(sample.sameAs ?? 'abort'));

    const { fingerprint } = readCrashDump({ core, elf: ELF }).report;

    expect(fingerprint).toBe(readCrashDump({ core: dump, elf: ELF }).report.fingerprint);
  });

  it('can be read without the ELF, and says so', () => {
    const { report } = readCrashDump({ core });

    expect(report.usesElf).toBe(false);
    expect(report.warnings.map(({ code }) => code)).toContain('NO_FIRMWARE');
    expect(peekDump(core)).toMatchObject({ source: sample.source });
    expect(peekDump(core).noCrash === null).toBe(sample.isCrash);
  });
});
