import { type FormEvent, useId } from 'react';
import { useLocation } from 'wouter';
import type { AuditEventInListFragment } from '../../generated/graphql';
import { TextFilter, useFilters } from '../../parts/filters';

/**
 * Filters of the list. The visible events are offered as suggestions, so that nobody must know the names of actions.
 */
export function AuditFilters({ events }: { events: readonly AuditEventInListFragment[] }) {
  const { parameters, choose } = useFilters();
  const [, navigate] = useLocation();
  const actionsId = useId();
  const actorsId = useId();
  const filter = (name: string) => ({
    value: parameters.get(name) ?? '',
    onChoose: (value: string) => choose(name, value),
  });

  return (
    <form className="filters" onSubmit={(event: FormEvent) => event.preventDefault()}>
      <TextFilter label="Action" list={actionsId} {...filter('action')} />
      <TextFilter label="Who" list={actorsId} {...filter('actor')} />
      <TextFilter label="Target’s id" {...filter('target')} />
      <TextFilter label="From" type="date" {...filter('from')} />
      <TextFilter label="To" type="date" {...filter('to')} />
      {[...parameters.keys()].length > 0 && (
        <button type="button" className="quiet-button" onClick={() => navigate('/audit')}>
          Clear
        </button>
      )}
      <Offered id={actionsId} values={events.map(({ action }) => action)} />
      <Offered id={actorsId} values={events.map(({ actor }) => actor)} />
    </form>
  );
}

function Offered({ id, values }: { id: string; values: readonly string[] }) {
  return (
    <datalist id={id}>
      {[...new Set(values)].sort().map((value) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}
