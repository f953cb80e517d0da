import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { ErrorNotice, Loading } from '../../parts/notices';
import { useTitle } from '../../parts/use-title';
import { addressOfList } from '../../shell/list-addresses';
import { NotFoundPage } from '../not-found-page';
import { DumpBody } from './dump-body';
import { DumpHead } from './dump-head';

graphql(`
  fragment FrameOnPage on StackFrame {
    index pc function file line sourceUrl inlined inRom isOwnCode trust atLineStart
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
  fragment ReportOnPage on CrashReport {
    kind reason explanation crashedTask inInterrupt chip chipRevision appElfSha256 elfMatch format checksum transport
    faultAddress cause { code name register address } memoryRegionCount warnings { code message }
    deviceIdentity { model serial firmwareVersion project elfSha256 bootId bootCount resetReason }
    values { name type value } logLines
    registers { name value symbol meaning }
    tasks { ...TaskOnPage }
  }
`);
graphql(`
  fragment DumpOnPage on Coredump {
    id kind filename chip crashVersion firmwareVersion size sha256 parseStatus parseErrorKind parseAttempts parsedOutput
    uploadedAt parsedAt rawRemovedAt rawRemovedReason fingerprint downloadUrl
    crashGroup { id newTicketUrl title state isRegression count deviceCount lastSeenAt }
    device { id key name model { id code name privacy { rawForAdminsOnly } } }
    firmware { id version elfVersion revision chip elfSha256 warnings { code message } }
    chosenFirmware { id version }
    waitingFor { firmwareVersion chip elfSha256Prefix }
    report { ...ReportOnPage }
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
