import { useEffect, useState } from 'react';
import { CopyButton } from '../../parts/copy-button';
import { Fact } from '../../parts/fact';
import { Loading } from '../../parts/notices';
import { TextWithCode } from '../../parts/text-with-code';
import { Moment } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { Backtrace } from '../dump/backtrace';
import { backtraceText } from '../dump/backtrace-text';
import { OtherTasks } from '../dump/other-tasks';
import { Registers } from '../dump/registers';
import { culpritOf } from '../dump/report-column';
import { fetchSharedCrash, type SharedCrash, tokenInAddress } from './shared-crash';

type Outcome = { crash: SharedCrash } | { problem: string } | null;

/** One crash, for who has its share link: without a sign-in, and without a way to anything else. */
export function SharedPage() {
  const [outcome, setOutcome] = useState<Outcome>(null);
  useEffect(() => {
    let isShown = true;
    function read() {
      fetchSharedCrash(tokenInAddress()).then(
        (crash) => isShown && setOutcome({ crash }),
        (error: Error) => isShown && setOutcome({ problem: error.message }),
      );
    }
    read();
    // Another link that is pasted into the address changes only what follows "#".
    window.addEventListener('hashchange', read);
    return () => {
      isShown = false;
      window.removeEventListener('hashchange', read);
    };
  }, []);
  useTitle(outcome !== null && 'crash' in outcome ? outcome.crash.title : 'Shared crash');

  return (
    <main className="shared">
      {outcome === null && <Loading />}
      {outcome !== null && 'problem' in outcome && (
        <div className="empty" role="alert">
          <h1>This crash cannot be shown</h1>
          <p>{outcome.problem}</p>
        </div>
      )}
      {outcome !== null && 'crash' in outcome && <Crash crash={outcome.crash} />}
    </main>
  );
}

function Crash({ crash }: { crash: SharedCrash }) {
  const { report } = crash;
  const crashed = report?.tasks.find((task) => task.crashed) ?? report?.tasks[0];
  const others = report?.tasks.filter((task) => task !== crashed) ?? [];
  return (
    <article className="dump">
      <header className="dump-head" data-status="PARSED">
        <div className="dump-title">
          <h1>{crash.title}</h1>
          {report?.explanation != null && (
            <p className="explanation">
              <TextWithCode text={report.explanation} />
            </p>
          )}
          {report == null && <p>The server could not read this dump, or has not read it yet.</p>}
          {report != null && <p className="reason-more">{report.reason}</p>}
        </div>
        <div className="actions">
          <CopyButton text={crash.markdown} label="Copy as Markdown" look="button" />
        </div>
        {report != null && report.warnings.length > 0 && (
          <ul className="notice" data-tone="warn" aria-label="Warnings">
            {report.warnings.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        )}
      </header>
      <div className="dump-columns">
        <div className="dump-main">
          {crashed !== undefined && (
            <section className="card" aria-labelledby="crashed-task">
              <header className="card-head">
                <h2 id="crashed-task">
                  Crashed task <span className="mono">{crashed.name}</span>
                </h2>
                <CopyButton text={backtraceText(crashed)} name="Copy backtrace" />
              </header>
              <Backtrace task={crashed} culprit={culpritOf(report?.explanation)} />
            </section>
          )}
          {others.length > 0 && <OtherTasks tasks={others} />}
        </div>
        <aside className="dump-side">
          <Facts crash={crash} />
          {report != null && report.registers.length > 0 && <Registers registers={report.registers} />}
        </aside>
      </div>
    </article>
  );
}

function Facts({ crash }: { crash: SharedCrash }) {
  const { model, device, crashVersion, reportedVersion } = crash;
  return (
    <section className="card" aria-labelledby="facts">
      <header className="card-head">
        <h2 id="facts">Crash</h2>
      </header>
      <dl className="facts">
        <Fact name="Version">
          <span className="mono">{crashVersion}</span>
          {reportedVersion !== crashVersion && ` (the device reported ${reportedVersion})`}
        </Fact>
        <Fact name="Model">{model.name}</Fact>
        <Fact name="Device">{device.name ?? device.key}</Fact>
        {device.serial !== null && <Fact name="Serial">{device.serial}</Fact>}
        <Fact name="Chip">{crash.chip}</Fact>
        <Fact name="Arrived">
          <Moment at={crash.uploadedAt} />
        </Fact>
        <Fact name="Link works until">
          <Moment at={crash.expiresAt} />
        </Fact>
      </dl>
    </section>
  );
}
