import { type ReactNode, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { MemoryOfDumpQuery } from '../../generated/graphql';
import { ErrorNotice, Loading } from '../../parts/notices';
import { bytesText } from '../../parts/sizes';

const MemoryOfDump = graphql(`
  query MemoryOfDump($id: ID!) {
    coredump(id: $id) {
      id report { memoryRegionCount memoryRegions { name address size attributes source } }
    }
  }
`);

/** The memory that the dump and its ELF hold, read when it is unfolded. */
export function Memory({ dumpId, count }: { dumpId: string; count: number }) {
  return (
    <MemoryCard count={count}>
      <Regions dumpId={dumpId} />
    </MemoryCard>
  );
}

/** A folded card. @param children what is in it, made when it is unfolded */
export function MemoryCard({ count, children }: { count: number; children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="card raw-text" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="card-head" data-row>
        <h2>Memory</h2>
        <span className="count">{count === 1 ? '1 region' : `${count} regions`}</span>
      </summary>
      {isOpen && children}
    </details>
  );
}

function Regions({ dumpId }: { dumpId: string }) {
  const [{ data, error }] = useQuery({ query: MemoryOfDump, variables: { id: dumpId } });
  const report = data?.coredump?.report;
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (report == null) return <Loading />;
  return <RegionTable regions={report.memoryRegions} count={report.memoryRegionCount} />;
}

type Region = NonNullable<NonNullable<MemoryOfDumpQuery['coredump']>['report']>['memoryRegions'][number];

/** @param count of all regions, also those that are not listed */
export function RegionTable({ regions, count }: { regions: readonly Region[]; count: number }) {
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} className="memory-scroll" aria-label="Memory regions">
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Region</th>
              <th scope="col">Address</th>
              <th scope="col" className="end">
                Size
              </th>
              <th scope="col">Attributes</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {regions.map(({ name, address, size, attributes, source }) => (
              <tr key={`${address} ${name}`}>
                <td className="mono">{name}</td>
                <td className="mono">{address}</td>
                <td className="number">{bytesText(size)}</td>
                <td className="mono">{attributes}</td>
                <td>{source === 'FIRMWARE' ? 'ELF' : 'dump'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {count > regions.length && (
        <p className="backtrace-end">{count - regions.length} more are not listed.</p>
      )}
    </>
  );
}
