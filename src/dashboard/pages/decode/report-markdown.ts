import type { ReportOnPageFragment } from '../../generated/graphql';
import { backtraceText } from '../dump/backtrace-text';

/**
 * A report as Markdown, for a ticket or a chat. All texts of the device stand in blocks of code, where none of them can
 * become markup.
 *
 * @param firmware that it was read with, as a text for people
 */
export function reportMarkdown(report: ReportOnPageFragment, firmware: string | null): string {
  const crashed = report.tasks.find((task) => task.crashed) ?? report.tasks[0];
  const facts = [
    report.reason,
    report.explanation?.replaceAll('`', ''),
    '',
    `Chip: ${report.chip}`,
    firmware === null ? null : `Firmware: ${firmware}`,
    report.crashedTask == null ? null : `Task: ${report.crashedTask}`,
  ].filter((line) => line != null);
  const parts = [
    '# Crash',
    codeBlock(facts.join('\n')),
    ...(crashed === undefined ? [] : ['## Backtrace', codeBlock(backtraceText(crashed))]),
    ...(report.warnings.length === 0
      ? []
      : ['## Warnings', codeBlock(report.warnings.map(({ message }) => message).join('\n'))]),
    ...(report.registers.length === 0
      ? []
      : [
          '## Registers',
          codeBlock(
            report.registers
              .map(
                ({ name, value, symbol }) =>
                  `${name.padEnd(9)} ${value}${symbol == null ? '' : `  <${symbol}>`}`,
              )
              .join('\n'),
          ),
        ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Between fences that are longer than any in the text. */
function codeBlock(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
