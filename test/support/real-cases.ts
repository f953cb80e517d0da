import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Real dumps with what Espressif's tool printed for them. They are not ours to keep here: tests look for them in
 * `$COREDUMP_CASES`, else beside the project, and are visibly skipped where there are none.
 */
const FOLDERS =
  process.env.COREDUMP_CASES === undefined
    ? ['cases', 'shared/cases'].map((name) => fileURLToPath(new URL(`../../../${name}`, import.meta.url)))
    : [process.env.COREDUMP_CASES];

/** Path of a file of a case, in the first folder that has it; null when none has. */
export function findCaseFile(name: string, file: string): string | null {
  return FOLDERS.map((folder) => join(folder, name, file)).find((path) => existsSync(path)) ?? null;
}

/** Names of the cases that have a firmware. */
export function completeCases(): string[] {
  const names = FOLDERS.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
  return [...new Set(names)].filter((name) => missingFiles(name, ['dump.bin', 'firmware.elf']) === '');
}

/** What a test's title says of files that are not there; empty when all are. */
export function missingFiles(name: string, files: readonly string[]): string {
  const missing = files.filter((file) => findCaseFile(name, file) === null);
  if (missing.length === 0) return '';
  return ` (skipped: no ${missing.map((file) => `${name}/${file}`).join(', ')} in ${SEARCHED})`;
}

/** Where cases were looked for, in words. */
export const SEARCHED = '$COREDUMP_CASES, else ../cases and ../shared/cases';
