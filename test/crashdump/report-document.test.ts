import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readCrashDump, WARNING_CODES } from '../../src/crashdump/index.js';
import { fixture } from '../support/fixtures.js';

it('has every field of the report in its document', () => {
  const thermostat = fixture('thermostat-1.0.0');
  const core = readFileSync(thermostat.dump('null-pointer'));
  const { report } = readCrashDump({ core, elf: readFileSync(thermostat.elfPath) });
  const document = readFileSync('docs/crash-report.md', 'utf8');

  const missing = fieldsOf(report).filter((name) => !document.includes(`\`${name}`));

  expect(fieldsOf(report)).toEqual(expect.arrayContaining(['reason', 'tcb', 'pc', 'arguments']));
  expect(missing).toEqual([]);
});

it('has every code of a warning in its document, and no other', () => {
  const document = readFileSync('docs/crash-report.md', 'utf8');
  const [, table = ''] = document.split('\n## Warnings\n');
  const [section = ''] = table.split('\n## ');
  const codes = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);

  expect(codes).toEqual([...WARNING_CODES]);
});

function fieldsOf(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.values(value).flatMap(fieldsOf);
  return [...new Set(Array.isArray(value) ? inside : [...Object.keys(value), ...inside])];
}
