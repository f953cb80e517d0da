import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOwnCode, matchesPattern, type OwnCodeRule } from '../../src/crashdump/index.js';
import { aReportOf, type Call } from '../support/own-code.js';

const VENDOR: Call = ['vendor_send', '/builds/x/components/vendor/send.c'];
const APP: Call = ['publish', '/builds/x/main/publish.c'];
const SYSTEM: Call = ['vTaskDelay', '/idf/freertos/tasks.c'];
const path = (pattern: string, isOwn = false): OwnCodeRule => ({ kind: 'PATH', pattern, isOwn });
const name = (pattern: string, isOwn = false): OwnCodeRule => ({ kind: 'FUNCTION', pattern, isOwn });
const ownIn = (calls: Call[], rules: OwnCodeRule[]) =>
  applyOwnCode(aReportOf(calls), rules).tasks[0]?.frames.map(({ isOwnCode }) => isOwnCode);

describe('own code', () => {
  it('is what the reader says, without rules', () => {
    const report = aReportOf([SYSTEM, VENDOR, APP]);

    expect(applyOwnCode(report, [])).toMatchObject({
      culprit: { function: 'vendor_send' },
      fingerprint: report.fingerprint,
      tasks: [{ frames: [{ isOwnCode: false }, { isOwnCode: true }, { isOwnCode: true }] }],
    });
  });

  it('decides culprit, explanation and fingerprint, and can be decided again', () => {
    const report = aReportOf([SYSTEM, VENDOR, APP]);
    const ruled = applyOwnCode(report, [path('components/vendor')]);

    expect(ruled).toMatchObject({
      culprit: { function: 'publish' },
      explanation: 'NULL pointer plus offset 0x10 read in `publish` at publish.c:88',
      fingerprint: aReportOf([APP]).fingerprint,
    });
    expect(applyOwnCode(ruled, [])).toEqual(applyOwnCode(report, []));
    expect(applyOwnCode(ruled, [path('main')])).toEqual(applyOwnCode(report, [path('main')]));
  });

  it('lets the first rule that matches decide', () => {
    expect(ownIn([VENDOR, APP], [name('vendor_*', true), path('components/vendor')])).toEqual([true, true]);
    expect(ownIn([VENDOR, APP], [path('components/vendor'), name('vendor_*', true)])).toEqual([false, true]);
  });

  it('may say that a system function is own', () => {
    expect(ownIn([SYSTEM, APP], [path('/idf/freertos', true)])).toEqual([true, true]);
    expect(applyOwnCode(aReportOf([SYSTEM, APP]), [name('vTaskDelay', true)]).culprit?.function).toBe(
      'vTaskDelay',
    );
  });

  it('leaves a crash in a place whose rules do not concern it as it is', () => {
    const report = aReportOf([APP]);

    expect(applyOwnCode(report, [path('components/vendor')])).toEqual(applyOwnCode(report, []));
  });

  it.each([
    ['components/vendor', 'components/vendor/a.c', true],
    ['components/vendor/', '/builds/x/components/vendor/a.c', true],
    ['components/vendor', 'C:\\work\\components\\vendor\\a.c', true],
    ['components/vendor', '/builds/x/components/vendor2/a.c', false],
    ['vendor', '/builds/x/my_vendor/a.c', false],
    ['/builds/x', '/builds/x/main/a.c', true],
    ['/x', '/builds/x/main/a.c', false],
    ['main/a.c', '/builds/x/main/a.c', true],
    ['components/vendor', '/builds/x/build/../components/./vendor/a.c', true],
    ['managed_components', '/builds/x/managed_components/espressif__led/led.c', true],
  ])('takes the path %s for %s: %s', (pattern, file, isMatch) => {
    expect(ownIn([['f', file]], [path(pattern)])).toEqual([!isMatch]);
  });

  it.each([
    ['Sensor::*', 'Sensor::read(int, char const*)', true],
    ['Sensor::read', 'Sensor::read(int, char const*)', true],
    ['*::read(int*', 'Sensor::read(int, char const*)', true],
    ['read', 'Sensor::read(int)', false],
    ['vendor_*_cb', 'vendor_wifi_cb', true],
    ['vendor_*_cb', 'vendor_cb', false],
  ])('takes the name %s for %s: %s', (pattern, functionName, isMatch) => {
    expect(ownIn([[functionName, null]], [name(pattern)])).toEqual([!isMatch]);
  });

  it('matches patterns as a regular expression would', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll(/[*]/g, '.*')}$`);
        expect(matchesPattern(text, pattern)).toBe(expression.test(text));
      }),
      { numRuns: 500 },
    );
  });

  it('matches a hostile pattern in a name of a megabyte with a look at each letter', () => {
    const hostile = `${'a*'.repeat(99)}b`;

    expect(matchesPattern('a'.repeat(1_000_000), hostile)).toBe(false);
    expect(matchesPattern(`${'a'.repeat(1_000_000)}b`, hostile)).toBe(true);
  });
});
