import { useContext } from 'react';
import { Link, useLocation } from 'wouter';
import { graphql } from '../../generated';
import type { DumpOnPageFragment } from '../../generated/graphql';
import { GroupState } from '../../parts/group-state';
import { countText } from '../../parts/sizes';
import { StatusBadge } from '../../parts/status-badge';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import { ForAdmins, RoleContext } from '../../session/role';
import { saveAs } from '../../session/save-as';
import { authorization } from '../../session/session';
import { useDeleteDump } from '../dumps/delete-dump';

const ReparseDump = graphql(`
  mutation ReparseDump($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id parseStatus } } }
`);

/** The cause of the crash, in the device's words and in plain English, and the actions on the dump. */
export function DumpHead({ dump }: { dump: DumpOnPageFragment }) {
  const { report, parseStatus } = dump;
  const [reason = '', ...more] = (report?.reason ?? fallbackTitle(dump)).split('\n');
  return (
    <header className="dump-head" data-status={parseStatus}>
      <div className="dump-title">
        <h1>{reason}</h1>
        {more.length > 0 && <p className="reason-more">{more.join('\n')}</p>}
        {report?.explanation != null && (
          <p className="explanation">
            <TextWithCode text={report.explanation} />
          </p>
        )}
        <p className="dump-line">
          <StatusBadge status={parseStatus} />
          <Link href={`/devices/${dump.device.key}`}>{dump.device.name ?? dump.device.key}</Link>
          <Link href={`/firmware/${dump.device.model.code}`}>
            {dump.device.model.code} {dump.firmwareVersion}
          </Link>
          <span className="mono">{dump.chip}</span>
          {report?.inInterrupt === true && <span>in an interrupt handler</span>}
          <Ago at={dump.uploadedAt} />
        </p>
        {dump.crashGroup != null && <GroupLine group={dump.crashGroup} />}
      </div>
      <DumpActions dump={dump} />
      <Doubts dump={dump} />
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
    </p>
  );
}

function DumpActions({ dump }: { dump: DumpOnPageFragment }) {
  const reparse = useAction(ReparseDump);
  const deleteDump = useDeleteDump();
  const [, navigate] = useLocation();
  const role = useContext(RoleContext);
  const isRawThere = dump.rawRemovedAt == null;
  return (
    <div className="actions">
      {isRawThere && (role === 'admin' || !dump.device.model.privacy.rawForAdminsOnly) && (
        <DownloadLink dump={dump} />
      )}
      <ForAdmins>
        {isRawThere && (
          <button
            type="button"
            className="button"
            disabled={reparse.isRunning || dump.parseStatus === 'PENDING'}
            onClick={() => void reparse.run({ id: dump.id })}
          >
            Parse again
          </button>
        )}
        <button
          type="button"
          className="button"
          data-tone="danger"
          onClick={() => {
            deleteDump(dump);
            navigate('/dumps');
          }}
        >
          Delete
        </button>
      </ForAdmins>
    </div>
  );
}

function DownloadLink({ dump }: { dump: DumpOnPageFragment }) {
  const { show } = useToasts();
  return (
    <a
      className="button"
      href={dump.downloadUrl}
      download={dump.filename}
      onClick={(event) => {
        if (authorization() === null) return;
        // A link cannot carry the session's token, so the bytes are fetched with it and then saved.
        event.preventDefault();
        saveAs(dump.filename, dump.downloadUrl).catch((error: unknown) =>
          show({ text: String(error), isError: true }),
        );
      }}
    >
      Download
    </a>
  );
}

/** Reasons to doubt the report. */
function Doubts({ dump: { report, device, firmwareVersion, parseStatus } }: { dump: DumpOnPageFragment }) {
  const doubts = [
    ...(report != null && !report.elfMatches
      ? ['The ELF is not the one that the device ran: names and lines may be wrong.']
      : []),
    ...(report?.checksum === 'BAD' ? ['The dump’s checksum is wrong: parts of it may be damaged.'] : []),
    ...(report?.warnings.map(({ message }) => message) ?? []),
  ];
  return (
    <>
      {doubts.length > 0 && (
        <ul className="notice" data-tone="warn" aria-label="Warnings">
          {doubts.map((doubt) => (
            <li key={doubt}>{doubt}</li>
          ))}
        </ul>
      )}
      {parseStatus === 'ERROR' && (
        <p className="notice" data-tone="neutral">
          If its firmware {firmwareVersion} is missing,{' '}
          <Link href={`/firmware/${device.model.code}`}>upload the ELF</Link>: the dump is read again by
          itself.
        </p>
      )}
    </>
  );
}

function fallbackTitle({ parseStatus, parsedOutput }: DumpOnPageFragment): string {
  if (parseStatus === 'PENDING') return 'Waiting to be read';
  return parsedOutput?.split('\n')[0] ?? 'Could not be read';
}
