import type { StackFrame } from '../report.js';

/** A line of GDB's `bt`. */
export function frameLine(frame: StackFrame): string {
  return `${`#${frame.index}`.padEnd(3)} ${framePlace(frame)}${frame.trust === 'scan' ? ' (recovered)' : ''}`;
}

/** A frame as in GDB's `info threads`: with the address only where it is not the first of its line. */
export function framePlace(frame: StackFrame): string {
  const address = showsAddress(frame) ? `${frame.pc} in ` : '';
  if (frame.function === null) return `${address}?? (${frame.inRom ? 'ROM' : ''})`;
  const values = frame.arguments.map(({ name, value }) => `${name}=${value}`).join(', ');
  const source = frame.file === null ? '' : ` at ${frame.file}${frame.line === null ? '' : `:${frame.line}`}`;
  return `${address}${frame.function} (${values})${source}`;
}

function showsAddress(frame: StackFrame): boolean {
  return frame.function === null || !frame.atLineStart;
}
