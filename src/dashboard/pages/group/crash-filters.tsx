import type { GroupOnPageFragment } from '../../generated/graphql';
import { Labelled, TextFilter } from '../../parts/filters';
import type { useGroupFilters } from './use-group-filters';

/** Which crashes of the group are shown. */
export function CrashFilters({
  group,
  filters: { parameters, filter, choose },
}: {
  group: GroupOnPageFragment;
  filters: ReturnType<typeof useGroupFilters>;
}) {
  const chips = [...new Set(group.variants.map(({ chip }) => chip))];
  return (
    <search className="filters" aria-label="Which crashes">
      <Select
        label="Version"
        value={parameters.get('version') ?? ''}
        options={group.firmwareVersions}
        onChoose={(version) => choose({ version })}
      />
      {(chips.length > 1 || parameters.has('chip')) && (
        <Select
          label="Chip"
          value={parameters.get('chip') ?? ''}
          options={chips}
          onChoose={(chip) => choose({ chip })}
        />
      )}
      <TextFilter
        label="Device"
        placeholder="Key"
        value={parameters.get('device') ?? ''}
        onChoose={(device) => choose({ device })}
      />
      {(['from', 'to'] as const).map((name) => (
        <Labelled key={name} name={name === 'from' ? 'From' : 'To'}>
          {(id) => (
            <input
              id={id}
              type="date"
              value={parameters.get(name) ?? ''}
              onChange={(event) => choose({ [name]: event.target.value })}
            />
          )}
        </Labelled>
      ))}
      {filter !== null && (
        <button
          type="button"
          className="quiet-button"
          onClick={() => choose({ version: '', chip: '', device: '', from: '', to: '' })}
        >
          All crashes
        </button>
      )}
    </search>
  );
}

function Select({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: string;
  options: readonly string[];
  onChoose: (value: string) => void;
}) {
  return (
    <Labelled name={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChoose(event.target.value)}>
          <option value="">All</option>
          {[...new Set([...options, ...(value === '' ? [] : [value])])].map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </Labelled>
  );
}
