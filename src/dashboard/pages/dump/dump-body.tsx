import type { ReactNode } from 'react';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { CopyButton } from '../../parts/copy-button';
import { Backtrace } from './backtrace';
import { backtraceText } from './backtrace-text';
import { DeviceSays } from './device-says';
import { DumpFacts } from './dump-facts';
import { Memory } from './memory';
import { OtherTasks } from './other-tasks';
import { RawText } from './raw-text';
import { Registers } from './registers';
import { StackMeter } from './stack-meter';

/**
 * All that the report says, after the cause: for the page of a dump, and for that of its group.
 *
 * @param below what else the page has in the wide column
 * @param beside what else it has in the narrow one, before the registers
 */
export function DumpBody({
  dump,
  below,
  beside,
}: {
  dump: DumpOnPageFragment;
  below?: ReactNode;
  beside?: ReactNode;
}) {
  const { report } = dump;
  const crashed = report?.tasks.find((task) => task.crashed) ?? report?.tasks[0];
  const others = report?.tasks.filter((task) => task !== crashed) ?? [];
  return (
    <div className="dump-columns">
      <div className="dump-main">
        {crashed !== undefined && (
          <section className="card" aria-labelledby="crashed-task">
            <header className="card-head">
              <h2 id="crashed-task">
                Crashed task <span className="mono">{crashed.name}</span>
              </h2>
              {crashed.core != null && <span className="count">on core {crashed.core}</span>}
              <StackMeter task={crashed} />
              <CopyButton text={backtraceText(crashed)} name="Copy backtrace" />
            </header>
            <Backtrace
              task={crashed}
              culprit={culpritOf(report?.explanation)}
              modelCode={dump.device.model.code}
            />
          </section>
        )}
        {others.length > 0 && <OtherTasks dumpId={dump.id} tasks={others} />}
        {report != null && <DeviceSays report={report} />}
        {report != null && report.memoryRegionCount > 0 && (
          <Memory dumpId={dump.id} count={report.memoryRegionCount} />
        )}
        {dump.parsedOutput != null && <RawText dump={dump} isOpen={dump.parseStatus === 'ERROR'} />}
        {below}
      </div>
      <aside className="dump-side">
        {beside}
        {report != null && report.registers.length > 0 && <Registers registers={report.registers} />}
        <DumpFacts dump={dump} />
      </aside>
    </div>
  );
}

/** The explanation has the place between its last backticks. */
export function culpritOf(explanation: string | null | undefined): string | undefined {
  return explanation?.split('`').at(-2);
}
