import type { ReactNode } from 'react';
import { CopyButton } from '../../parts/copy-button';
import { SOURCE_NAMES } from '../../parts/crash-sources';
import { TextWithCode } from '../../parts/text-with-code';
import { MemoryCard, RegionTable } from '../dump/memory';
import { RawText } from '../dump/raw-text';
import { Registers, RegisterTable } from '../dump/registers';
import { ReportColumn } from '../dump/report-column';
import { ReportFacts } from '../dump/report-facts';
import { FoldedRegisters, isSameTask } from '../dump/task-registers';
import { Warnings } from '../dump/warnings';
import type { Reading } from './reader-messages';
import { reportMarkdown } from './report-markdown';

/** The report of a crash that is stored nowhere, as the page of a dump shows it. */
export function DecodedReport({
  reading: { kind, report, output },
  firmwareText,
  actions,
  isWithoutFirmwareSaid,
}: {
  reading: Reading;
  /** The firmware that it was read with: "1.2.0 of thermostat". */
  firmwareText: string | null;
  actions?: ReactNode;
  /** The page says already that there is no firmware. */
  isWithoutFirmwareSaid: boolean;
}) {
  const [reason = '', ...more] = report.reason.split('\n');
  return (
    <article className="dump" aria-label="Report">
      <header className="dump-head" data-status="PARSED">
        <div className="dump-title">
          <h2>{reason}</h2>
          {more.length > 0 && <p className="reason-more">{more.join('\n')}</p>}
          {report.explanation != null && (
            <p className="explanation">
              <TextWithCode text={report.explanation} />
            </p>
          )}
          {report.inInterrupt === true && (
            <p className="dump-line">
              <span>in an interrupt handler</span>
            </p>
          )}
        </div>
        <div className="actions">
          <CopyButton text={output} label="Copy as text" look="button" />
          <CopyButton text={reportMarkdown(report, firmwareText)} label="Copy as Markdown" look="button" />
          {actions}
        </div>
        <Warnings report={report} withoutFirmware={!isWithoutFirmwareSaid} />
      </header>
      <div className="dump-columns">
        <div className="dump-main">
          <ReportColumn
            report={report}
            registersOf={(shown) => {
              const task = report.tasks.find((each) => isSameTask(each, shown));
              if (task === undefined || task.registers.length === 0) return null;
              return (
                <FoldedRegisters>
                  <RegisterTable registers={task.registers} />
                </FoldedRegisters>
              );
            }}
            memory={
              <MemoryCard count={report.memoryRegionCount}>
                <RegionTable regions={report.memoryRegions} count={report.memoryRegionCount} />
              </MemoryCard>
            }
          />
          <RawText output={output} />
        </div>
        <aside className="dump-side">
          {report.registers.length > 0 && <Registers registers={report.registers} />}
          <section className="card" aria-labelledby="facts">
            <header className="card-head">
              <h2 id="facts">{SOURCE_NAMES[kind]}</h2>
            </header>
            <dl className="facts">
              <ReportFacts report={report} isDump={kind === 'CORE_DUMP'} />
            </dl>
          </section>
        </aside>
      </div>
    </article>
  );
}
