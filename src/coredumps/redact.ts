import type { CrashReport, StackFrame } from '../crashdump/index.js';

/** Replaces memory that a reader may not see. */
const REDACTED = '<redacted>';
/** Headings of the sections that hold memory: its words, as esp-coredump prints them, and what the device wrote there. */
const MEMORY_SECTION = /^=+ (?:CORE DUMP MEMORY CONTENTS|DEVICE VALUES|DEVICE LOG LINES) =+$/;
const ANY_HEADING = /^={5,}/;
const FRAME = /^#\d+ /;

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

/** `#0  0x42009351 in send (key=0x3fc8ea9c "secret", at={x = 1}) at main.c:3`: redacts what follows a "=". */
function redactFrame(line: string): string {
  return redactValue(line, /=/g);
}

/** @param before what precedes a structure; by default anything: a C++ name may contain braces */
function redactValue(text: string, before?: RegExp): string {
  const withoutText = text.replace(/"(?:[^"\\]|\\.)*("|$)(\.\.\.)?/g, REDACTED);
  if (before === undefined) return withoutBraces(withoutText, 0);
  let result = withoutText;
  // From the end, so that the positions of earlier matches stay valid.
  for (const { index } of [...withoutText.matchAll(before)].reverse()) {
    const brace = /^=\s*\{/.exec(result.slice(index));
    if (brace !== null) result = withoutBraces(result, index);
  }
  return result;
}

/** Replaces the first structure after `from`, including nested ones. An unterminated one extends to the end. */
function withoutBraces(text: string, from: number): string {
  const open = text.indexOf('{', from);
  if (open < 0) return text;
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(0, open) + REDACTED + text.slice(at + 1);
  }
  return text.slice(0, open) + REDACTED;
}
