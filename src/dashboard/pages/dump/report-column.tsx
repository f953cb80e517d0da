import type { ReactNode } from 'react';
import type { ReportOnPageFragment, TaskOnPageFragment } from '../../generated/graphql';
import { CopyButton } from '../../parts/copy-button';
import { Backtrace } from './backtrace';
import { backtraceText } from './backtrace-text';
import { DeviceSays } from './device-says';
import { OtherTasks } from './other-tasks';
import { StackMeter } from './stack-meter';

/**
 * What a report says after the cause, besides the registers: of a stored dump, or of a crash that was just read.
 *
 * @param registersOf shows the registers of another task
 * @param memory the memory regions, where there are some
 */
export function ReportColumn({
  report,
  modelCode,
  registersOf,
  memory,
}: {
  report: ReportOnPageFragment;
  /** The model whose rules say which code is own. */
  modelCode?: string;
  registersOf: (task: TaskOnPageFragment) => ReactNode;
  memory: ReactNode;
}) {
  const crashed = report.tasks.find((task) => task.crashed) ?? report.tasks[0];
  const others = report.tasks.filter((task) => task !== crashed);
  return (
    <>
      {crashed !== undefined && (
        <section className="card" aria-labelledby="crashed-task">
          <header className="card-head">
            <h2 id="crashed-task">
              {/* Texts seldom name the task. */}
              {crashed.name === '' ? (
                'Backtrace'
              ) : (
                <>
                  Crashed task <span className="mono">{crashed.name}</span>
                </>
              )}
            </h2>
            {crashed.core != null && <span className="count">on core {crashed.core}</span>}
            <StackMeter task={crashed} />
            <CopyButton text={backtraceText(crashed)} name="Copy backtrace" />
          </header>
          <Backtrace task={crashed} culprit={culpritOf(report.explanation)} modelCode={modelCode} />
        </section>
      )}
      {others.length > 0 && <OtherTasks tasks={others} registersOf={registersOf} />}
      <DeviceSays report={report} />
      {report.memoryRegionCount > 0 && memory}
    </>
  );
}

/** The explanation has the place between its last backticks. */
export function culpritOf(explanation: string | null | undefined): string | undefined {
  return explanation?.split('`').at(-2);
}
