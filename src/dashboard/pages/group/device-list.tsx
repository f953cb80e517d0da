import { Link, useLocation, useSearchParams } from 'wouter';
import { graphql } from '../../generated';
import type { DevicesOfGroupOnPageFragment } from '../../generated/graphql';
import { countText } from '../../parts/sizes';
import { Ago } from '../../parts/time';

graphql(`
  fragment DevicesOfGroupOnPage on AffectedDeviceConnection {
    totalCount
    nodes { count lastCrashAt device { id key name serial } }
    pageInfo { hasNextPage endCursor }
  }
`);

/** The devices that crashed so, the most crashes first. */
export function DeviceList({
  devices: { totalCount, nodes, pageInfo },
  onChoose,
}: {
  devices: DevicesOfGroupOnPageFragment;
  /** Shows the crashes of one device. */
  onChoose: (key: string) => void;
}) {
  if (totalCount === 0) return null;
  return (
    <section className="card" aria-labelledby="devices">
      <header className="card-head">
        <h2 id="devices">{countText(totalCount, 'device')}</h2>
      </header>
      <ul className="group-devices">
        {nodes.map(({ count, lastCrashAt, device }) => (
          <li key={device.id}>
            <Link href={`/devices/${device.key}`} title={device.serial ?? undefined}>
              {device.name ?? device.key}
            </Link>
            <button
              type="button"
              className="quiet-button"
              aria-label={`${countText(count, 'crash', 'crashes')} of ${device.name ?? device.key}: show these`}
              onClick={() => onChoose(device.key)}
            >
              {countText(count, 'crash', 'crashes')}
            </button>
            <span className="count">{lastCrashAt == null ? 'not stored' : <Ago at={lastCrashAt} />}</span>
          </li>
        ))}
      </ul>
      <DevicePaging endCursor={pageInfo.endCursor ?? null} hasNextPage={pageInfo.hasNextPage} />
    </section>
  );
}

function DevicePaging({ endCursor, hasNextPage }: { endCursor: string | null; hasNextPage: boolean }) {
  const [location] = useLocation();
  const [parameters] = useSearchParams();
  const isFirst = !parameters.has('devices');
  if (isFirst && !hasNextPage) return null;
  const to = (cursor: string | null) => {
    const next = new URLSearchParams(parameters);
    if (cursor === null) next.delete('devices');
    else next.set('devices', cursor);
    return `${location}?${next}`;
  };
  return (
    <nav className="paging" aria-label="Pages of the devices">
      {isFirst ? <span /> : <Link href={to(null)}>« First</Link>}
      {hasNextPage && <Link href={to(endCursor)}>More »</Link>}
    </nav>
  );
}
