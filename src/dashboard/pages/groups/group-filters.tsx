import { useId } from 'react';
import { DateFilter } from '../../parts/date-filter';
import { TextFilter, useFilters } from '../../parts/filters';
import { ClearFilters, SuggestedFilters } from '../../parts/suggested-filters';
import { CRASH_KINDS } from './crash-kinds';
import { TagFilter } from './tag-filter';

const STATES = [
  ['open', 'Open'],
  ['regressions', 'Regressions'],
  ['resolved', 'Resolved'],
  ['ignored', 'Ignored'],
  ['all', 'All'],
] as const;

const ORDERS = [
  ['count', 'Crashes'],
  ['devices', 'Devices'],
  ['recent', 'Last seen'],
  ['first', 'First seen'],
  ['rate', 'Rate now'],
] as const;

const SUGGESTED = [
  ['model', 'Model', 'MODEL'],
  ['version', 'Version', 'VERSION'],
  ['chip', 'Chip', 'CHIP'],
  ['reason', 'Reason', 'REASON'],
  ['assignee', 'Assignee', 'ASSIGNEE'],
] as const;

/** Filters and order of the groups; both are part of the address. */
export function GroupFilters() {
  const { parameters, choose } = useFilters();
  const sortId = useId();
  const kindId = useId();
  const state = parameters.get('state') ?? 'open';

  return (
    <div className="filters">
      <fieldset className="segments">
        <legend className="visually-hidden">State</legend>
        {STATES.map(([value, name]) => (
          <button
            key={value}
            type="button"
            aria-pressed={state === value}
            onClick={() => choose('state', value)}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <div className="labelled">
        <label htmlFor={sortId}>Most first</label>
        <select
          id={sortId}
          value={parameters.get('sort') ?? 'count'}
          onChange={(event) => choose('sort', event.target.value)}
        >
          {ORDERS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div className="labelled">
        <label htmlFor={kindId}>Kind</label>
        <select
          id={kindId}
          value={parameters.get('kind') ?? ''}
          onChange={(event) => choose('kind', event.target.value)}
        >
          <option value="">All</option>
          {Object.entries(CRASH_KINDS).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <TagFilter value={parameters.get('tag') ?? ''} onChoose={(tag) => choose('tag', tag)} />
      <TextFilter
        label="Words"
        placeholder="Title, reason, assignee, note"
        value={parameters.get('q') ?? ''}
        onChoose={(value) => choose('q', value)}
      />
      <SuggestedFilters filters={SUGGESTED} />
      <DateFilter label="Last seen" />
      <ClearFilters path="/groups" />
    </div>
  );
}
