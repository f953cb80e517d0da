import { useLocation } from 'wouter';
import type { SuggestedField } from '../generated/graphql';
import { useFilters } from './filters';
import { SuggestFilter } from './suggest-filter';

/** A filter by its name in the address, with its label and what is suggested for it. */
export type SuggestedFilterOf = readonly [name: string, label: string, of: SuggestedField];

/** Filters of a list with suggestions: of one model where the address names it. */
export function SuggestedFilters({ filters }: { filters: readonly SuggestedFilterOf[] }) {
  const { parameters, choose } = useFilters();
  return filters.map(([name, label, of]) => (
    <SuggestFilter
      key={name}
      label={label}
      of={of}
      value={parameters.get(name) ?? ''}
      modelCode={of === 'MODEL' ? null : parameters.get('model')}
      onChoose={(value) => choose(name, value)}
    />
  ));
}

/** Leads to the list at `path` without filters, when it has some. */
export function ClearFilters({ path }: { path: string }) {
  const { parameters } = useFilters();
  const [, navigate] = useLocation();
  if (parameters.size === 0) return null;
  return (
    <button type="button" className="quiet-button" onClick={() => navigate(path)}>
      Clear
    </button>
  );
}
