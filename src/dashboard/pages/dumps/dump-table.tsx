import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { DumpInListFragment } from '../../generated/graphql';
import { SOURCE_NAMES } from '../../parts/crash-sources';
import { CrashVersion } from '../../parts/crash-version';
import { type ShownState, shownState } from '../../parts/parse-state';
import { SelectCell, SelectHead } from '../../parts/select-cells';
import { SortHead, type Sorting } from '../../parts/sort-head';
import { StatusBadge } from '../../parts/status-badge';
import { TextWithCode } from '../../parts/text-with-code';
import { Ago } from '../../parts/time';
import type { Selection } from '../../parts/use-selection';
import { useHidden } from './delete-dump';

graphql(`
  fragment DumpInList on Coredump {
    id kind filename chip crashVersion firmwareVersion parseStatus parseErrorKind uploadedAt
    device { id key name model { id code } }
    report { reason explanation crashedTask }
  }
`);

/**
 * Dumps, newest first; each row leads to its page.
 *
 * @param of the owner of the dumps: columns that are the same in all rows are omitted
 * @param gone ids of dumps that were deleted since they were shown
 */
export function DumpTable({
  dumps,
  of = 'fleet',
  gone = NONE,
  selection,
  sorting,
}: {
  dumps: readonly DumpInListFragment[];
  of?: 'fleet' | 'device' | 'group';
  gone?: ReadonlySet<string>;
  selection?: Selection | undefined;
  sorting?: Sorting;
}) {
  const hidden = useHidden();
  return (
    <table className="list">
      <thead>
        <tr>
          <SelectHead selection={selection} />
          <th scope="col">{of === 'group' ? 'Device' : 'Crash'}</th>
          {of === 'fleet' && <th scope="col">Device</th>}
          <th scope="col">Version</th>
          <th scope="col" className="wide">
            Chip
          </th>
          <th scope="col">Status</th>
          <SortHead name="Arrived" by="arrived" sorting={sorting} className="end" />
        </tr>
      </thead>
      <tbody>
        {dumps
          .filter(({ id }) => !hidden.has(id))
          .map((dump) => (
            <DumpRow key={dump.id} dump={dump} of={of} isGone={gone.has(dump.id)} selection={selection} />
          ))}
      </tbody>
    </table>
  );
}

const NONE: ReadonlySet<string> = new Set();

function DumpRow({
  dump,
  of,
  isGone,
  selection,
}: {
  dump: DumpInListFragment;
  of: 'fleet' | 'device' | 'group';
  isGone: boolean;
  selection: Selection | undefined;
}) {
  const { id, device, chip, uploadedAt } = dump;
  const state = shownState(dump);
  const { title, detail } = wordsOf(dump);
  const deviceName = device.name ?? device.key;
  return (
    <tr data-status={state} data-gone={isGone}>
      <SelectCell selection={selection} id={id} name={dump.filename} />
      <td className="main-cell">
        <Link href={`/dumps/${encodeURIComponent(id)}`} data-row className="row-link">
          {of === 'group' ? deviceName : <TextWithCode text={title} />}
        </Link>
        <div className="sub-line">
          {dump.kind !== 'CORE_DUMP' && <span className="mark">{SOURCE_NAMES[dump.kind]}</span>}{' '}
          {isGone ? 'Deleted, or no longer in this list' : detail}
        </div>
      </td>
      {of === 'fleet' && (
        <td>
          <span>{deviceName}</span>
          <div className="sub-line">{device.model.code}</div>
        </td>
      )}
      <td>
        <CrashVersion dump={dump} />
      </td>
      <td className="wide mono">{chip}</td>
      <td>
        <StatusBadge status={state} />
      </td>
      <td className="end">
        <Ago at={uploadedAt} />
      </td>
    </tr>
  );
}

/** The explanation in plain English first; below it the device's own words, which have many lines for a watchdog. */
function wordsOf(dump: DumpInListFragment): { title: string; detail: string } {
  const { report, filename } = dump;
  if (report == null) return { title: TITLES[shownState(dump)], detail: filename };
  const [reason = ''] = report.reason.split('\n');
  return report.explanation == null
    ? { title: reason, detail: filename }
    : { title: report.explanation, detail: reason };
}

const TITLES: Record<ShownState, string> = {
  PENDING: 'Waiting to be read',
  WAITING: 'Waiting for its build',
  ERROR: 'Could not be read',
  PARSED: 'Read without a report',
};
