import { createHash } from 'node:crypto';
import { isOwnFrame } from './plumbing.js';
import type { StackFrame } from './report.js';

/** Grows when the recipe below changes, so that fingerprints of different recipes never meet. */
export const FINGERPRINT_VERSION = 'v1';
const FRAMES = 5;

/**
 * A name for the place of a crash that stays the same from build to build, to group dumps by.
 *
 * Recipe v1: take the crashed task's frames, leave out those without a function name, in ROM, and of the plumbing
 * that stops or starts a task; of a function that calls itself keep one frame; of what is left take the innermost
 * five as lines `function@file`, the file without its folders (build machines differ), empty when unknown. The
 * fingerprint is `v1:` and the first 16 hexadecimal digits of the SHA-256 of these lines joined by newlines.
 * Addresses, line numbers and argument values play no part.
 *
 * @returns null when no own frame is left: such crashes have nothing in common that is known
 */
export function fingerprint(crashedFrames: readonly StackFrame[]): string | null {
  const lines = crashedFrames
    .filter(isOwnFrame)
    .map((frame) => `${frame.function}@${baseName(frame.file)}`)
    .filter((line, index, all) => line !== all[index - 1])
    .slice(0, FRAMES);
  if (lines.length === 0) return null;
  const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
  return `${FINGERPRINT_VERSION}:${digest.slice(0, 16)}`;
}

function baseName(path: string | null): string {
  return path?.replace(/^.*[/\\]/, '') ?? '';
}
