import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { AuditEventInListFragment } from '../../generated/graphql';
import { Moment } from '../../parts/time';

graphql(`
  fragment AuditEventInList on AuditEvent {
    id at action actor role via target targetType targetId address requestId
  }
`);

/** The events, newest first; each row links to the page of its target, if there is one. */
export function AuditTable({ events }: { events: readonly AuditEventInListFragment[] }) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Action</th>
          <th scope="col">To</th>
          <th scope="col">Who</th>
          <th scope="col" className="widest">
            Request
          </th>
          <th scope="col" className="end">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <AuditRow key={event.id} event={event} />
        ))}
      </tbody>
    </table>
  );
}

function AuditRow({ event }: { event: AuditEventInListFragment }) {
  const { at, action, actor, role, via, address, requestId } = event;
  return (
    <tr>
      <td className="name-cell mono">{action}</td>
      <td className="target-cell">
        <Target event={event} />
      </td>
      <td className="name-cell">
        {actor}
        <div className="sub-line">{[role, via, ...(address == null ? [] : [address])].join(' · ')}</div>
      </td>
      <td className="widest mono nowrap">{requestId ?? '—'}</td>
      <td className="end nowrap">
        <Moment at={at} />
      </td>
    </tr>
  );
}

function Target({ event }: { event: AuditEventInListFragment }) {
  const { target, targetType, targetId } = event;
  const words = target ?? (targetType == null ? '—' : NOUNS[targetType]) ?? targetType;
  const path = pathOf(event);
  return (
    <>
      {path === null ? (
        words
      ) : (
        <Link href={path} data-row>
          {words}
        </Link>
      )}
      {targetId != null && (
        <div className="sub-line">
          <Link href={`/audit?${new URLSearchParams({ target: targetId })}`}>all its events</Link>
        </div>
      )}
    </>
  );
}

/** For targets without another name in the event. */
const NOUNS: Record<string, string | undefined> = {
  AlertRule: 'an alert',
  Coredump: 'a dump',
  CrashGroup: 'a crash group',
  Device: 'a device',
  DeviceModel: 'a model',
  Firmware: 'a build',
};

function pathOf({ target, targetType, targetId }: AuditEventInListFragment): string | null {
  if (targetId == null) return null;
  switch (targetType) {
    case 'AlertRule':
      return `/alerts/${encodeURIComponent(targetId)}`;
    case 'Coredump':
      return `/dumps/${encodeURIComponent(targetId)}`;
    case 'CrashGroup':
      return `/groups/${encodeURIComponent(targetId)}`;
    // The addresses of these pages contain names, which the events have too: "3 of dev1", "thermostat: …".
    case 'Device':
      return target == null ? null : `/devices/${target.split(' ').at(-1)}`;
    case 'DeviceModel':
      return target == null ? null : `/firmware/${/^[a-z0-9_]*/.exec(target)?.[0]}`;
    case 'Firmware':
      return target == null ? null : `/firmware/${target.split(' ')[0]}`;
    default:
      return null;
  }
}
