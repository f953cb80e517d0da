import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { ErrorNotice, Loading } from '../../parts/notices';
import { useTitle } from '../../parts/use-title';
import { addressOfList } from '../../shell/list-addresses';
import { NotFoundPage } from '../not-found-page';
import { Backtrace } from './backtrace';
import { DeviceSays } from './device-says';
import { DumpFacts } from './dump-facts';
import { DumpHead } from './dump-head';
import { Memory } from './memory';
import { OtherTasks } from './other-tasks';
import { RawText } from './raw-text';
import { Registers } from './registers';
import { StackMeter } from './stack-meter';

graphql(`
  fragment FrameOnPage on StackFrame {
    index pc function file line sourceUrl inlined inRom isOwnCode trust
    arguments { name value }
  }
`);
graphql(`
  fragment TaskOnPage on CrashTask {
    name tcb crashed state priority basePriority waitingFor
    stackUsed stackFree stackNeverUsed stackOverflow stackCorrupted backtraceEnd core coreAffinity
    frames { ...FrameOnPage }
    interruptedFrames { ...FrameOnPage }
  }
`);
graphql(`
  fragment DumpOnPage on Coredump {
    id filename chip crashVersion firmwareVersion size sha256 parseStatus parseErrorKind parseAttempts parsedOutput
    uploadedAt parsedAt rawRemovedAt rawRemovedReason fingerprint downloadUrl
    crashGroup { id newTicketUrl title state isRegression count deviceCount lastSeenAt }
    device { id key name model { id code name privacy { rawForAdminsOnly } } }
    firmware { id version elfVersion revision chip elfSha256 warnings { code message } }
    chosenFirmware { id version }
    waitingFor { firmwareVersion chip elfSha256Prefix }
    report {
      kind reason explanation crashedTask inInterrupt chip chipRevision appElfSha256 elfMatch format checksum transport
      faultAddress cause { code name register address } memoryRegionCount warnings { code message }
      deviceIdentity { model serial firmwareVersion project elfSha256 bootId bootCount resetReason }
      values { name type value } logLines
      registers { name value symbol meaning }
      tasks { ...TaskOnPage }
    }
  }
`);
const DumpById = graphql(`
  query DumpById($id: ID!) { coredump(id: $id) { ...DumpOnPage } }
`);

/** One crash: its cause, its place, then all other data of the dump. */
export function DumpPage({ id }: { id: string }) {
  const { data, error } = useLiveQuery(DumpById, { id }, (change) => change.id === id);
  const dump = data?.coredump;
  useTitle(dump?.report?.reason.split('\n')[0] ?? dump?.filename ?? 'Dump');

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (dump == null) return <NotFoundPage />;
  return (
    <article className="dump">
      <nav className="crumbs" aria-label="Where this is">
        <Link href={addressOfList('/dumps')}>Dumps</Link>
        <span aria-hidden="true">/</span>
        <Link href={`/devices/${dump.device.key}`}>{dump.device.name ?? dump.device.key}</Link>
        <span aria-hidden="true">/</span>
        <span>{dump.filename}</span>
      </nav>
      <DumpHead dump={dump} />
      {error !== undefined && <ErrorNotice error={error} />}
      <DumpBody dump={dump} />
    </article>
  );
}

function DumpBody({ dump }: { dump: DumpOnPageFragment }) {
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
      </div>
      <aside className="dump-side">
        {report != null && report.registers.length > 0 && <Registers registers={report.registers} />}
        <DumpFacts dump={dump} />
      </aside>
    </div>
  );
}

/** The explanation has the place between its last backticks. */
function culpritOf(explanation: string | null | undefined): string | undefined {
  return explanation?.split('`').at(-2);
}
