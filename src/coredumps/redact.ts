import type { CrashReport, StackFrame } from '../crashdump/index.js';

/** Replaces memory that a reader may not see. */
const REDACTED = '<redacted>';
/** Headings of the sections that hold memory: its words, as esp-coredump prints them, and what the device wrote there. */
const MEMORY_SECTION = /^=+ (?:CORE DUMP MEMORY CONTENTS|DEVICE VALUES|DEVICE LOG LINES) =+$/;
const ANY_HEADING = /^={5,}/;
/** Also of the list of tasks, which names the innermost frame of each: `* 1    process 1070106620 send (…`. */
const FRAME = /^(?:#\d+|[* ] \d+ +process \d+) /;

/** The report's text without memory: no sections with it, and no values of arguments in frames. */
export function redactOutput(output: string): string {
  let isMemory = false;
  const lines: string[] = [];
  for (const line of output.split('\n')) {
    if (MEMORY_SECTION.test(line)) {
      isMemory = true;
      lines.push(line, `${REDACTED}: memory is for admins`);
    } else if (!isMemory || ANY_HEADING.test(line)) {
      isMemory = false;
      lines.push(FRAME.test(line) ? redactFrame(line) : line);
    }
  }
  return lines.join('\n');
}

/** The same for the report: numbers and addresses stay; text and structures are removed. */
export function redactReport(report: CrashReport): CrashReport {
  const redactFrames = (frames: StackFrame[]) =>
    frames.map((frame) => ({
      ...frame,
      arguments: frame.arguments.map(({ name, value }) => ({ name, value: redactValue(value) })),
    }));
  return {
    ...report,
    values: report.values.map((value) => (value.type === 'text' ? { ...value, value: REDACTED } : value)),
    logLines: report.logLines.length === 0 ? [] : [`${REDACTED}: the log is for admins`],
    tasks: report.tasks.map((task) => ({
      ...task,
      frames: redactFrames(task.frames),
      interruptedFrames: redactFrames(task.interruptedFrames),
    })),
  };
}

/** `#0  0x42009351 in send (key=0x3fc8ea9c "secret", at={x = 1}) at main.c:3`: redacts the values of the arguments. */
function redactFrame(line: string): string {
  const text = withoutTexts(line);
  const values = [...text.matchAll(ARGUMENT)].map(({ 0: name, index }) => index + name.length);
  let result = '';
  let at = 0;
  for (const [index, from] of values.entries()) {
    const rest = text.slice(from, values[index + 1]);
    const end = rest.search(END_OF_VALUE);
    const value = end < 0 ? rest : rest.slice(0, end);
    result += text.slice(at, from) + withoutStructure(value);
    at = from + value.length;
  }
  return result + text.slice(at);
}

/** A name of an argument in a frame, up to its value. */
const ARGUMENT = /(?<=[(,] ?)[\p{L}_$][\p{L}\p{N}_$.]*(?:@entry)?=/gu;
/** The next argument, or the place of the frame. */
const END_OF_VALUE = /, [\p{L}_$][\p{L}\p{N}_$.]*(?:@entry)?=$|\)(?: (?:at|from) [^()]*)?$/u;

function redactValue(value: string): string {
  return withoutStructure(withoutTexts(value));
}

/** `"abc", 'x' <repeats 20 times>, "def"`; the character of a number, `97 'a'`, stays. */
function withoutTexts(text: string): string {
  return text.replace(TEXT, (found) => (CHARACTER.test(found) ? found : REDACTED));
}

const CHARACTER_PATTERN = String.raw`'(?:[^'\\]|\\(?:\d{3}|x[0-9a-f]+|.))'`;
const CHARACTER = new RegExp(`^${CHARACTER_PATTERN}$`);
const PART_OF_TEXT = String.raw`(?:${CHARACTER_PATTERN} <repeats \d+ times>|"(?:[^"\\]|\\.?)*(?:"|$)(?:\.\.\.)?)`;
const TEXT = new RegExp(`${PART_OF_TEXT}(?:, ${PART_OF_TEXT})*|${CHARACTER_PATTERN}`, 'gs');

/**
 * Replaces a structure or list, of C (`{x = 1}`) or Rust (`fw::Pair (1, 2)`, `&[u8] [1, 2]`), to the end of the value.
 * What follows an address is its symbol, whose name may have any brackets.
 */
function withoutStructure(value: string): string {
  const opening = /^[@\d-]/.test(value) ? /(?<=^| )\{/ : /[{[]|\((?=[^|]*,)/;
  const open = value.search(opening);
  return open < 0 ? value : value.slice(0, open) + REDACTED;
}
