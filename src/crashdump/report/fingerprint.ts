import { createHash } from 'node:crypto';
import type { StackFrame } from '../report.js';

/** Incremented when the recipe below changes, so that fingerprints of different recipes are never equal. */
export const FINGERPRINT_VERSION = 'v1';
const FRAMES = 5;

/**
 * A name for the place of a crash that is stable across builds, for grouping dumps.
 *
 * Recipe v1: take the crashed task's frames without those that have no function name, are in ROM, or are system frames,
 * which stop, start or switch tasks (if none remain, use the interrupted task's frames). Of a recursive function keep
 * one frame. Of the rest take the innermost five as lines `function@file`, the file without its folders (build
 * machines differ), empty when unknown. The fingerprint is `v1:` and the first 16 hexadecimal digits of the SHA-256 of
 * these lines joined by newlines. Addresses, line numbers and argument values are not used.
 *
 * For an overflowed stack the only line is `stack of task NAME`, because the overflow is detected at some later task
 * switch, at an arbitrary place.
 *
 * @param frames of the application's own code, innermost first
 * @returns null when there are no frames: such crashes have no known common place
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
