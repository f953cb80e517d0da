import type { ChangeEvent, FormEvent } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { SOURCE_NAMES } from '../../parts/crash-sources';
import { DateFilter } from '../../parts/date-filter';
import { Labelled, TextFilter, useFilters } from '../../parts/filters';
import { ClearFilters, SuggestedFilters } from '../../parts/suggested-filters';

const ModelCodes = graphql(`
  query ModelCodes { deviceModels(first: 200) { nodes { id code name } } }
`);

const SUGGESTED = [
  ['version', 'Version', 'VERSION'],
  ['chip', 'Chip', 'CHIP'],
  ['device', 'Device key', 'DEVICE'],
  ['task', 'Task', 'TASK'],
] as const;
const NEVER = () => false;

/** Filters of the list. They are part of the address, so that it can be shared. */
export function DumpFilters() {
  const { parameters, choose } = useFilters();
  const { data } = useLiveQuery(ModelCodes, {}, NEVER);

  const chosen = (name: string) => (event: ChangeEvent<HTMLSelectElement>) =>
    choose(name, event.target.value);

  return (
    <form className="filters" onSubmit={(event: FormEvent) => event.preventDefault()}>
      <Labelled name="Status">
        {(id) => (
          <select id={id} value={parameters.get('status') ?? ''} onChange={chosen('status')}>
            <option value="">All</option>
            <option value="parsed">Parsed</option>
            <option value="pending">Pending</option>
            <option value="waiting">Waiting for build</option>
            <option value="error">Error</option>
          </select>
        )}
      </Labelled>
      <Labelled name="Kind">
        {(id) => (
          <select id={id} value={parameters.get('source') ?? ''} onChange={chosen('source')}>
            <option value="">All</option>
            {Object.entries(SOURCE_NAMES).map(([kind, name]) => (
              <option key={kind} value={kind}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      <Labelled name="Model">
        {(id) => (
          <select id={id} value={parameters.get('model') ?? ''} onChange={chosen('model')}>
            <option value="">All</option>
            {data?.deviceModels.nodes.map(({ code }) => (
              <option key={code}>{code}</option>
            ))}
          </select>
        )}
      </Labelled>
      <TextFilter label="Words" value={parameters.get('q') ?? ''} onChoose={(value) => choose('q', value)} />
      <SuggestedFilters filters={SUGGESTED} />
      <DateFilter label="Arrived" />
      <ClearFilters path="/dumps" />
    </form>
  );
}
