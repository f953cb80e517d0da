import type { Architecture } from '../arch/architecture.js';
import type { Dump } from '../core/core.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32, plainHex } from '../hex.js';
import type { CrashReport, CrashTask } from '../report.js';
import { deviceSections, identityLine } from './device-sections.js';
import { frameLine, framePlace } from './frame-lines.js';
import { memoryContents, memoryRegions } from './memory-sections.js';
import { registerLines } from './register-lines.js';

export interface TextSources {
  report: CrashReport;
  dump: Dump;
  firmware: FirmwareImage | null;
  printMemory: boolean;
}

/**
 * Prints the report like `esp-coredump info_corefile` (which contains GDB), with the same sections and spaces, because
 * people and scripts know that layout. Additional data is printed in separate lines at the top.
 */
export function formatReport(sources: TextSources): string {
  const { report, dump, firmware, printMemory } = sources;
  const sections = [
    heading(sources),
    ['================== CURRENT THREAD REGISTERS ===================', ...registerLines(report, dump)],
    [
      '==================== CURRENT THREAD STACK =====================',
      ...currentStack(report.tasks[0], dump),
    ],
    ['======================== THREADS INFO =========================', ...threads(report, dump)],
    [
      '',
      '======================= ALL MEMORY REGIONS ========================',
      ...memoryRegions(dump, firmware),
    ],
    ...deviceSections(report),
    ...(printMemory
      ? [
          [
            '====================== CORE DUMP MEMORY CONTENTS ========================',
            ...memoryContents(dump, firmware),
          ],
        ]
      : []),
    [
      '===================== ESP32 CORE DUMP END =====================',
      '===============================================================',
      'Done!',
    ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function heading({ report, dump }: TextSources): string[] {
  const lines = [
    '===============================================================',
    '==================== ESP32 CORE DUMP START ====================',
    ...report.warnings.map(({ message }) => `Warning: ${message}`),
    '',
  ];
  const crashed = report.tasks[0];
  if (!report.tasks.some((task) => task.crashed)) lines.push('Crashed task has been skipped.');
  else if (crashed) {
    lines.push(
      `Crashed task handle: ${plainHex(crashed.tcb)}, name: '${crashed.name}', GDB name: '${processName(crashed)}'`,
    );
  }
  if (dump.inInterrupt !== null) {
    lines.push(
      dump.inInterrupt
        ? 'Crash happened in the interrupt context'
        : 'Crashed task is not in the interrupt context',
    );
  }
  lines.push(`Panic reason: ${report.reason}`);
  if (report.explanation !== null) lines.push(`Explanation: ${report.explanation}`);
  if (report.deviceIdentity !== null) lines.push(`Device: ${identityLine(report.deviceIdentity)}`);
  return lines;
}

function currentStack(crashed: CrashTask | undefined, { architecture }: Dump): string[] {
  if (!crashed) return [];
  const lines = backtraceLines(crashed, architecture);
  if (crashed.stackCorrupted) lines.push('The current crashed task is corrupted.');
  return lines;
}

function threads(report: CrashReport, dump: Dump): string[] {
  const lines = [...threadList(report.tasks), '', '', ...taskTable(report.tasks)];
  report.tasks.forEach((task, index) => {
    lines.push(
      '',
      `==================== THREAD ${index + 1} (TCB: ${plainHex(task.tcb)}, name: '${task.name}') =====================`,
    );
    lines.push(...backtraceLines(task, dump.architecture));
    if (task.stackCorrupted) lines.push(`The task '${index + 1}' is corrupted.`);
    if (task.waitingFor !== null) lines.push(`The task is ${task.state}: it waits for ${task.waitingFor}.`);
    if (dump.inInterrupt && task.interruptedFrames.length > 0) {
      lines.push('', '--- where the interrupt came ---', ...task.interruptedFrames.map(frameLine));
    }
  });
  return lines;
}

/** `info threads` */
function threadList(tasks: readonly CrashTask[]): string[] {
  const width = Math.max('Target Id'.length, ...tasks.map((task) => processName(task).length));
  const rows = tasks.map((task, index) => {
    const mark = index === 0 ? '*' : ' ';
    const [innermost] = task.frames;
    const place = innermost ? framePlace(innermost) : '<stack corrupted>';
    return `${mark} ${String(index + 1).padEnd(4)} ${processName(task).padEnd(width)} ${place}`;
  });
  return [`  Id   ${'Target Id'.padEnd(width)} Frame `, ...rows];
}

function taskTable(tasks: readonly CrashTask[]): string[] {
  const rows = tasks.map((task) => {
    const tcb = plainHex(task.tcb).padStart(10);
    if (task.stackUsed === null || task.stackFree === null) return `${tcb} Corrupted TCB data`;
    const priority = `${task.priority ?? '?'}/${task.basePriority ?? '?'}`;
    return `${tcb}${task.name.padStart(17)}${priority.padStart(9)}${`${task.stackUsed}/${task.stackFree}`.padStart(17)}`;
  });
  return [
    '       TCB             NAME PRIO C/B  STACK USED/FREE',
    '---------- ---------------- -------- ----------------',
    ...rows,
  ];
}

/** `bt` */
function backtraceLines(task: CrashTask, { emptyCaller }: Architecture): string[] {
  const lines = task.frames.map(frameLine);
  if (hasNeverRun(task)) {
    lines.push(`#1  ${hex32(emptyCaller.pc)} in ?? ()`);
    if (emptyCaller.end !== null) lines.push(`Backtrace stopped: ${emptyCaller.end}`);
  }
  if (task.backtraceEnd !== null && !task.stackCorrupted)
    lines.push(`Backtrace stopped: ${task.backtraceEnd}`);
  return lines;
}

/** GDB shows the empty return address of such a task as a frame; in the report it is none. */
function hasNeverRun({ frames, backtraceEnd }: CrashTask): boolean {
  const [only, second] = frames;
  const isAtStart = only?.atLineStart === true && only.function === 'vPortTaskWrapper';
  return isAtStart && second === undefined && backtraceEnd === null;
}

/** GDB shows the control block's address as a process id. */
function processName(task: CrashTask): string {
  return `process ${Number.parseInt(task.tcb, 16)}`;
}
