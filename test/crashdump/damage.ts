import type { CrashReport, CrashTask } from '../../src/crashdump/index.js';

/** What serial lines and people do to a text with a dump. */
export interface Damage {
  name: string;
  /** Null when the text has no place for it. */
  inflict(lines: readonly string[], random: (below: number) => number): string[] | null;
}

/** Lines of the dump itself, between the markers, without the header's. */
function aPayloadLine(lines: readonly string[], random: (below: number) => number): number | null {
  const first = lines.findIndex((line) => line.includes('CORE DUMP START'));
  const end = lines.findIndex((line) => line.includes('CORE DUMP END'));
  const last = end < 0 ? lines.length : end;
  const count = last - first - 2;
  return count < 1 ? null : first + 2 + random(count);
}

function atLine(
  change: (line: string, random: (below: number) => number, lines: readonly string[], at: number) => string[],
): Damage['inflict'] {
  return (lines, random) => {
    const at = aPayloadLine(lines, random);
    if (at === null) return null;
    const result = [...lines];
    result.splice(at, 1, ...change(lines[at] ?? '', random, lines, at));
    return result;
  };
}

const without = (line: string, from: number, count: number) => line.slice(0, from) + line.slice(from + count);

export const DAMAGES: readonly Damage[] = [
  {
    name: 'a character lost',
    inflict: atLine((line, random) => [
      without(line, line.length - 1 - random(Math.min(line.length, 20)), 1),
    ]),
  },
  {
    name: 'some characters lost',
    inflict: atLine((line, random) => [without(line, Math.max(0, line.length - 30), 1 + random(9))]),
  },
  {
    name: 'a character doubled',
    inflict: atLine((line) => [`${line.slice(0, -5)}${line.at(-5)}${line.slice(-5)}`]),
  },
  {
    name: 'a character that is none',
    inflict: atLine((line, random) => {
      const at = Math.max(0, line.length - 1 - random(15));
      return [`${line.slice(0, at)}\ufffd${line.slice(at + 1)}`];
    }),
  },
  { name: 'a line lost', inflict: atLine(() => []) },
  { name: 'a line twice', inflict: atLine((line) => [line, line]) },
  { name: 'a log line between', inflict: atLine((line) => ['I (523) wifi: beacon timeout', line]) },
  { name: 'a word between', inflict: atLine((line) => ['HELP', line]) },
  {
    name: 'a log line inside',
    inflict: atLine((line, random) => {
      const at = line.length - 1 - random(Math.min(line.length - 1, 28));
      return [`${line.slice(0, at)}W (9123) spi: busy, retry`, line.slice(at)];
    }),
  },
  {
    name: 'two lines joined',
    inflict: (lines, random) => {
      const at = aPayloadLine(lines, random);
      if (at === null || lines[at + 1] === undefined) return null;
      return lines.flatMap((line, index) =>
        index === at ? [line + lines[at + 1]] : index === at + 1 ? [] : [line],
      );
    },
  },
  {
    name: 'the end lost',
    inflict: (lines, random) => {
      const at = aPayloadLine(lines, random);
      return at === null ? null : lines.slice(0, at);
    },
  },
];

/**
 * What a report of a damaged dump says that is not true of the whole one. Less is no lie; a warning must say that
 * something is missing.
 */
export function liesOf(report: CrashReport, truth: CrashReport): string[] {
  const lies: string[] = [];
  const known = new Set(truth.warnings.map(({ message }) => message));
  const warnings = report.warnings.filter(({ message }) => !known.has(message));
  const isEqual = JSON.stringify(substance(report)) === JSON.stringify(substance(truth));
  if (!isEqual && warnings.length === 0) lies.push('differs without a warning');
  // The place of such damage is not known: the report says that anything may be wrong.
  if (warnings.some(({ code }) => code === 'DUMP_DAMAGED')) return lies;
  if (warnings.some(({ code }) => code === 'TASK_BROKEN')) lies.push('the device found a task broken');
  if (
    warnings.some(({ code }) => code === 'STACK_OVERFLOW') &&
    truth.tasks.every(({ stackOverflow }) => stackOverflow === null)
  )
    lies.push('a stack has overflowed');
  if (report.crashedTask !== null && report.crashedTask !== truth.crashedTask && report.crashedTask !== '')
    lies.push(`crashed task ${report.crashedTask}`);
  for (const task of report.tasks) {
    const same = truth.tasks.find(({ tcb }) => tcb === task.tcb);
    lies.push(...(same ? liesOfTask(task, same) : [`a task at ${task.tcb}`]));
  }
  if (
    report.tasks[0]?.crashed &&
    report.registers.length > 0 &&
    truth.tasks[0]?.tcb === report.tasks[0].tcb
  ) {
    const right = new Map(truth.registers.map(({ name, value }) => [name, value]));
    for (const { name, value } of report.registers)
      if (right.get(name) !== value) lies.push(`register ${name} ${value}`);
  }
  return lies;
}

function liesOfTask(task: CrashTask, truth: CrashTask): string[] {
  const lies: string[] = [];
  const who = `task ${truth.name}`;
  if (task.name !== '' && task.name !== truth.name) lies.push(`${who} is called ${task.name}`);
  if (task.stackCorrupted && !truth.stackCorrupted) lies.push(`${who} has a corrupted stack`);
  for (const key of ['priority', 'basePriority', 'stackUsed', 'stackFree', 'stackNeverUsed'] as const)
    if (task[key] !== null && task[key] !== truth[key]) lies.push(`${who}: ${key} ${task[key]}`);
  for (const [index, frame] of task.frames.entries()) {
    if (frame.trust === 'scan') continue;
    const right = truth.frames[index];
    if (right?.pc !== frame.pc) lies.push(`${who}: frame ${index} ${frame.pc}, not ${right?.pc}`);
  }
  if (task.frames.length < truth.frames.length && task.backtraceEnd === null)
    lies.push(`${who}: the backtrace ends without a reason`);
  return lies;
}

/** All that the dump says, without what is said about its way. */
export function substance({ transport: _, warnings: _w, ...rest }: CrashReport): unknown {
  return rest;
}
