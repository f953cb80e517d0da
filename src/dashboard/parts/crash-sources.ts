import type { CoredumpKind } from '../generated/graphql';

/** What the device sent, in words. A kind that this page does not know yet is a core dump for it. */
export function nameOfKind(kind: CoredumpKind): string {
  if (kind === 'PANIC_TEXT') return 'panic text';
  return kind === 'SUMMARY' ? 'crash summary' : 'core dump';
}

/** The name of a download, as the server gives it to other programs. */
export function rawFilename({ kind, filename }: { kind: CoredumpKind; filename: string }): string {
  if (kind === 'PANIC_TEXT') return filename.replace(/\.dmp$/, '.txt');
  return kind === 'SUMMARY' ? filename.replace(/\.dmp$/, '.json') : filename;
}
