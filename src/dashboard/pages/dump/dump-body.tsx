import type { ReactNode } from 'react';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { DumpFacts } from './dump-facts';
import { Memory } from './memory';
import { RawText } from './raw-text';
import { Registers } from './registers';
import { ReportColumn } from './report-column';
import { TaskRegisters } from './task-registers';

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
  const { id, report, parsedOutput } = dump;
  return (
    <div className="dump-columns">
      <div className="dump-main">
        {report != null && (
          <ReportColumn
            report={report}
            modelCode={dump.device.model.code}
            registersOf={(task) => <TaskRegisters dumpId={id} task={task} />}
            memory={<Memory dumpId={id} count={report.memoryRegionCount} />}
          />
        )}
        {parsedOutput != null && <RawText output={parsedOutput} isOpen={dump.parseStatus === 'ERROR'} />}
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
