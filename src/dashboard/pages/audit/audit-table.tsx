import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { AuditEventInListFragment, AuditTargetType } from '../../generated/graphql';
import { Moment } from '../../parts/time';

graphql(`
  fragment AuditEventInList on AuditEvent {
    id createdAt action actor role via target targetType targetId detail address requestId
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
  const { createdAt, action, actor, role, via, address, requestId } = event;
  return (
    <tr>
      <td className="name-cell mono">{action}</td>
      <td className="target-cell">
        <Target event={event} />
      </td>
      <td className="name-cell">
        {actor}
        <div className="sub-line">
          {[role.toLowerCase(), via.toLowerCase(), ...(address == null ? [] : [address])].join(' · ')}
        </div>
      </td>
      <td className="widest mono nowrap">{requestId ?? '—'}</td>
      <td className="end nowrap">
        <Moment at={createdAt} />
      </td>
    </tr>
  );
}

function Target({ event }: { event: AuditEventInListFragment }) {
  const { target, targetType, targetId, detail } = event;
  const words = target ?? (targetType == null ? '—' : NOUNS[targetType]);
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
      {detail != null && <div className="sub-line">{detail}</div>}
      {targetId != null && (
        <div className="sub-line">
          <Link href={`/audit?${new URLSearchParams({ target: targetId })}`}>all its events</Link>
        </div>
      )}
    </>
  );
}

/** For targets without another name in the event. */
const NOUNS: Record<AuditTargetType, string> = {
  ALERT_RULE: 'an alert',
  COREDUMP: 'a dump',
  CRASH_GROUP: 'a crash group',
  DEVICE: 'a device',
  DEVICE_MODEL: 'a model',
  FIRMWARE: 'a build',
  INGEST_KEY: 'an ingest key',
  SAVED_VIEW: 'a saved view',
  TAG: 'a tag',
};

function pathOf({ target, targetType, targetId }: AuditEventInListFragment): string | null {
  if (targetId == null) return null;
  switch (targetType) {
    case 'ALERT_RULE':
      return `/alerts/${encodeURIComponent(targetId)}`;
    case 'COREDUMP':
      return `/dumps/${encodeURIComponent(targetId)}`;
    case 'CRASH_GROUP':
      return `/groups/${encodeURIComponent(targetId)}`;
    // The addresses of these pages contain names, which the events have too: "3 of dev1", "thermostat: …".
    case 'DEVICE':
      return target == null ? null : `/devices/${target.split(' ').at(-1)}`;
    case 'DEVICE_MODEL':
      return target == null ? null : `/firmware/${/^[a-z0-9_]*/.exec(target)?.[0]}`;
    case 'FIRMWARE':
      return target == null ? null : `/firmware/${target.split(' ')[0]}`;
    case 'TAG':
      return '/tags';
    default:
      return null;
  }
}
