import type { Dump } from '../core/core.js';
import { hex32 } from '../hex.js';
import type { CrashReport, CrashTask } from '../report.js';
import { deviceSections } from './device-sections.js';
import type { TextSources } from './format-report.js';
import { frameLine } from './frame-lines.js';
import { memoryContents } from './memory-sections.js';
import { registerLines } from './register-lines.js';

/**
 * Prints the report about a panic text or a summary: what it has, in the lines of a dump's report, and what it does not
 * have. Of the other core only where it was printed.
 */
export function formatTextReport({ report, dump, firmware, printMemory }: TextSources): string {
  const [crashed, ...others] = report.tasks;
  const sections = [
    heading(report, dump),
    ...(crashed === undefined ? [] : taskSections('CURRENT THREAD', crashed, dump)),
    ...others.flatMap((task) =>
      taskSections(`OTHER CORE${task.core === null ? '' : ` (${task.core})`}`, task, dump),
    ),
    ...deviceSections(report),
    ...(printMemory && dump.memory.segments.length > 0
      ? [[title('CORE DUMP MEMORY CONTENTS'), ...memoryContents(dump, firmware)]]
      : []),
    [title('END'), ...missing(report, dump)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const WIDTH = 63;

function title(text: string): string {
  const left = Math.max(5, Math.floor((WIDTH - text.length - 2) / 2));
  return `${'='.repeat(left)} ${text} ${'='.repeat(Math.max(5, WIDTH - text.length - 2 - left))}`;
}

function heading(report: CrashReport, { text, chip }: Dump): string[] {
  const [crashed] = report.tasks;
  const what = report.source === 'summary' ? 'ESP32 CRASH SUMMARY' : 'ESP32 PANIC TEXT';
  const lines = [title(what), ...report.warnings.map(({ message }) => `Warning: ${message}`), ''];
  if (crashed !== undefined && (crashed.name !== '' || crashed.core !== null)) {
    const task = crashed.name === '' ? 'Crashed task: not named' : `Crashed task: '${crashed.name}'`;
    lines.push(crashed.core === null ? task : `${task}, on core ${crashed.core}`);
  }
  if (report.inInterrupt === true) lines.push('Crash happened in the interrupt context');
  lines.push(`Panic reason: ${report.reason}`);
  for (const line of detailsOf(report, text))
    if (!report.reason.includes(line.trim())) lines.push(`  ${line.trim()}`);
  for (const task of report.watchdogTasks) lines.push(`  - ${task}`);
  if (report.explanation !== null) lines.push(`Explanation: ${report.explanation}`);
  lines.push(
    `Source: ${report.format}${chip === null ? '' : `, ${chip.name}`}${version(text?.firmwareVersion)}`,
  );
  if (report.appElfSha256 !== null)
    lines.push(`ELF file SHA256: ${report.appElfSha256}${MATCH[report.elfMatch]}`);
  return lines;
}

/** The sender of a summary words its reason freely; where a cause is beside it, that one decides. */
function detailsOf({ source }: CrashReport, text: Dump['text']): readonly string[] {
  if (text === undefined) return [];
  const { exceptionName, exceptionDetails } = text;
  return source === 'summary' && exceptionName !== null
    ? [exceptionName, ...exceptionDetails]
    : exceptionDetails;
}

function version(firmwareVersion: string | null | undefined): string {
  return firmwareVersion == null ? '' : `, firmware ${firmwareVersion}`;
}

const MATCH = {
  matches: ' (the firmware ELF matches)',
  differs: ' (not that of the firmware ELF)',
  unknown: '',
} as const;

function taskSections(name: string, task: CrashTask, dump: Dump): string[][] {
  const registers =
    task.registers.length === 0
      ? []
      : [
          [
            title(`${name} REGISTERS`),
            ...registerLines({ registers: task.registers, hasUnavailable: false }, dump),
          ],
        ];
  return [...registers, [title(`${name} STACK`), ...backtraceLines(task)]];
}

/** `bt` */
function backtraceLines({ frames, backtraceEnd }: CrashTask): string[] {
  const lines = frames.map(frameLine);
  if (backtraceEnd !== null)
    lines.push(frames.length === 0 ? `No backtrace: ${backtraceEnd}` : `Backtrace stopped: ${backtraceEnd}`);
  return lines;
}

/** What a core dump would have had. */
function missing({ tasks, registers, source }: CrashReport, { memory }: Dump): string[] {
  const noun = source === 'summary' ? 'summary' : 'text';
  const parts = [
    ...(registers.length === 0 ? ['registers'] : []),
    ...(memory.segments.length === 0 ? ['the stack'] : []),
    ...(tasks.length < 2 ? ['other tasks'] : ['tasks that did not run']),
  ];
  const stack = memory.segments.map(({ address, bytes }) => `${bytes.length} bytes at ${hex32(address)}`);
  return [
    ...(stack.length === 0 ? [] : [`Stack memory: ${stack.join(', ')}`]),
    `Not in the ${noun}: ${parts.join(', ')}. A core dump has all of them.`,
  ];
}
