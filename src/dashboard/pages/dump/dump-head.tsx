import { Link } from 'wouter';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { SOURCE_NAMES } from '../../parts/crash-sources';
import { CrashVersionLink } from '../../parts/crash-version';
import { GroupState } from '../../parts/group-state';
import { OutsideLink } from '../../parts/outside-link';
import { shownState } from '../../parts/parse-state';
import { countText } from '../../parts/sizes';
import { StatusBadge } from '../../parts/status-badge';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';
import { DumpActions } from './dump-actions';
import { Waiting } from './waiting';
import { Warnings } from './warnings';

/** The cause of the crash, in the device's words and in plain English, and the actions on the dump. */
export function DumpHead({ dump }: { dump: DumpOnPageFragment }) {
  const { report, chosenFirmware } = dump;
  const state = shownState(dump);
  const [reason = '', ...more] = (report?.reason ?? fallbackTitle(dump)).split('\n');
  return (
    <header className="dump-head" data-status={state}>
      <div className="dump-title">
        <h1>{reason}</h1>
        {more.length > 0 && <p className="reason-more">{more.join('\n')}</p>}
        {report?.explanation != null && (
          <p className="explanation">
            <TextWithCode text={report.explanation} />
          </p>
        )}
        <p className="dump-line">
          <StatusBadge status={state} />
          {dump.kind !== 'CORE_DUMP' && <span>{SOURCE_NAMES[dump.kind]}</span>}
          <Link href={`/devices/${dump.device.key}`}>{dump.device.name ?? dump.device.key}</Link>
          <Link href={`/firmware/${dump.device.model.code}`}>{dump.device.model.code}</Link>
          <CrashVersionLink dump={dump} modelCode={dump.device.model.code} buildId={buildOf(dump)} />
          <span className="mono">{dump.chip}</span>
          {report?.inInterrupt === true && <span>in an interrupt handler</span>}
          <Ago at={dump.uploadedAt} />
        </p>
        {chosenFirmware != null && (
          <p className="dump-line">
            <span>
              Read with the build <span className="mono">{chosenFirmware.version}</span> that a person chose
            </span>
          </p>
        )}
        {dump.crashGroup != null && <GroupLine group={dump.crashGroup} />}
      </div>
      <DumpActions dump={dump} />
      <Waiting dump={dump} />
      {report != null && <Warnings report={report} withoutFirmware={dump.waitingFor == null} />}
    </header>
  );
}

function GroupLine({ group }: { group: NonNullable<DumpOnPageFragment['crashGroup']> }) {
  return (
    <p className="dump-line">
      <Link href={`/groups/${encodeURIComponent(group.id)}`} className="group-link">
        {group.count === 1
          ? 'The only crash of its kind'
          : `One of ${countText(group.count, 'crash', 'crashes')}`}{' '}
        on {countText(group.deviceCount, 'device')}
      </Link>
      <GroupState state={group.state} isRegression={group.isRegression} />
      {group.newTicketUrl != null && <OutsideLink href={group.newTicketUrl}>New ticket</OutsideLink>}
    </p>
  );
}

/** The build that crashed; null while it is not known. */
function buildOf({ firmware, crashVersion }: DumpOnPageFragment): string | null {
  return firmware != null && firmware.version === crashVersion ? firmware.id : null;
}

function fallbackTitle({ parseStatus, parsedOutput }: DumpOnPageFragment): string {
  if (parseStatus === 'PENDING') return 'Waiting to be read';
  return parsedOutput?.split('\n')[0] ?? 'Could not be read';
}
