import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { ForAdmins } from '../../session/role';
import { CreateDeviceDialog } from './create-device-dialog';
import { DeviceTable } from './device-table';

const Devices = graphql(`
  query Devices($filter: DeviceFilter, $after: String) {
    devices(first: 50, after: $after, filter: $filter) {
      totalCount
      nodes { ...DeviceInList }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Every device, newest first, each with its last crash. */
export function DevicesPage() {
  useTitle('Devices');
  const [isCreating, setCreating] = useState(false);
  const [parameters, setParameters] = useSearchParams();
  const search = parameters.get('q') ?? '';
  const { data, error } = useLiveQuery(Devices, {
    filter: search === '' ? null : { search },
    after: parameters.get('after'),
  });
  const devices = data?.devices;

  return (
    <>
      <header className="page-head">
        <h1>Devices</h1>
        {devices !== undefined && <span className="count">{countText(devices.totalCount, 'device')}</span>}
        <div className="actions">
          <input
            type="search"
            className="narrow-search"
            aria-label="Search devices"
            placeholder="Key, serial or name"
            defaultValue={search}
            onKeyDown={(event) => {
              if (event.key === 'Enter') setParameters({ q: event.currentTarget.value.trim() });
            }}
          />
          <ForAdmins>
            <button type="button" className="button" data-tone="primary" onClick={() => setCreating(true)}>
              New device
            </button>
          </ForAdmins>
        </div>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {devices === undefined && error === undefined && <Loading />}
      {devices !== undefined && devices.nodes.length > 0 && (
        <div className="card">
          <DeviceTable devices={devices.nodes} />
        </div>
      )}
      {devices?.nodes.length === 0 && (
        <EmptyState title={search === '' ? 'No device is registered yet' : 'No device matches'}>
          <p>
            A device belongs to a model. Register one here, or let a whole fleet register itself with an{' '}
            <Link href="/enrolment">ingest key</Link>.
          </p>
        </EmptyState>
      )}
      {devices !== undefined && (
        <Paging endCursor={devices.pageInfo.endCursor ?? null} hasNextPage={devices.pageInfo.hasNextPage} />
      )}
      <CreateDeviceDialog isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}
