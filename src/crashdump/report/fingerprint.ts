import { createHash } from 'node:crypto';
import type { StackFrame } from '../report.js';

/** Grows when the recipe below changes, so that fingerprints of different recipes never meet. */
export const FINGERPRINT_VERSION = 'v1';
const FRAMES = 5;

/**
 * A name for the place of a crash that stays the same from build to build, to group dumps by.
 *
 * Recipe v1: take the crashed task's frames, leave out those without a function name, in ROM, and system frames,
 * which stop, start or switch tasks (if nothing is left, those of the task that was interrupted); of a function that
 * calls itself keep one frame; of what is left take the innermost five as lines `function@file`, the file without its
 * folders (build machines differ), empty when unknown. The fingerprint is `v1:` and the first 16 hexadecimal digits of
 * the SHA-256 of these lines joined by newlines. Addresses, line numbers and argument values play no part.
 *
 * Of an overflowed stack the only line is `stack of task NAME`: where the overflow is found, at some later switch of
 * tasks, is chance.
 *
 * @param frames of the application's own code, innermost first
 * @returns null when there are none: such crashes have nothing in common that is known
 */
export function fingerprint(
  frames: readonly StackFrame[],
  overflowedTask: string | null = null,
): string | null {
  const lines = overflowedTask === null ? placesOf(frames) : [`stack of task ${overflowedTask}`];
  if (lines.length === 0) return null;
  const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
  return `${FINGERPRINT_VERSION}:${digest.slice(0, 16)}`;
}

function placesOf(frames: readonly StackFrame[]): string[] {
  return frames
    .map((frame) => `${frame.function}@${baseName(frame.file)}`)
    .filter((line, index, all) => line !== all[index - 1])
    .slice(0, FRAMES);
}

function baseName(path: string | null): string {
  return path?.replace(/^.*[/\\]/, '') ?? '';
}
