import type { CrashSource } from '../crashdump/index.js';
import type { CoredumpKind } from './types.js';

const KINDS: Readonly<Record<CrashSource, CoredumpKind>> = {
  core_dump: 'CORE_DUMP',
  panic_text: 'PANIC_TEXT',
  summary: 'SUMMARY',
};

/** As rows and the API call what the reader found. */
export function kindOf(source: CrashSource): CoredumpKind {
  return KINDS[source];
}

/** For people: "the SHA-256 of the panic text". */
export const NAMES: Readonly<Record<CoredumpKind, string>> = {
  CORE_DUMP: 'core dump',
  PANIC_TEXT: 'panic text',
  SUMMARY: 'crash summary',
};

/** The same in one word: "the text names the ELF …". */
export const NOUNS: Readonly<Record<CoredumpKind, string>> = {
  CORE_DUMP: 'dump',
  PANIC_TEXT: 'text',
  SUMMARY: 'summary',
};
