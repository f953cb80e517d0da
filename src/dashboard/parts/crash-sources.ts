import type { CoredumpKind } from '../generated/graphql';

/** What the device sent, as lists and pages name it. */
export const SOURCE_NAMES: Readonly<Record<CoredumpKind, string>> = {
  CORE_DUMP: 'Core dump',
  PANIC_TEXT: 'Panic text',
  SUMMARY: 'Summary',
};

export function isCoredumpKind(value: string): value is CoredumpKind {
  return Object.hasOwn(SOURCE_NAMES, value);
}

/** The name of a download, as the server gives it to other programs. */
export function rawFilename({ kind, filename }: { kind: CoredumpKind; filename: string }): string {
  if (kind === 'PANIC_TEXT') return filename.replace(/\.dmp$/, '.txt');
  return kind === 'SUMMARY' ? filename.replace(/\.dmp$/, '.json') : filename;
}
