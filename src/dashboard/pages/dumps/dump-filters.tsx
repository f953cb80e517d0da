import { type ChangeEvent, type FormEvent, useId } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';

const ModelCodes = graphql(`
  query ModelCodes { deviceModels(first: 200) { nodes { id code name } } }
`);

const NEVER = () => false;

/** Narrows the list; the address keeps what was chosen, so that it can be sent to somebody. */
export function DumpFilters() {
  const [parameters, setParameters] = useSearchParams();
  const [, navigate] = useLocation();
  const { data } = useLiveQuery(ModelCodes, {}, NEVER);
  const isNarrowed = [...parameters.keys()].length > 0;

  function choose(name: string, value: string): void {
    setParameters((before) => {
      const next = new URLSearchParams(before);
      next.delete('after');
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  }
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
            <option value="error">Error</option>
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
      {(['q', 'version', 'chip', 'device'] as const).map((name) => (
        <TextFilter key={name} name={name} value={parameters.get(name) ?? ''} onChoose={choose} />
      ))}
      {isNarrowed && (
        <button type="button" className="quiet-button" onClick={() => navigate('/dumps')}>
          Clear
        </button>
      )}
    </form>
  );
}

const LABELS = { q: 'Words', version: 'Version', chip: 'Chip', device: 'Device key' };

/** Takes effect when it is left or Enter is pressed: a search for each letter would answer what nobody asked. */
function TextFilter({
  name,
  value,
  onChoose,
}: {
  name: keyof typeof LABELS;
  value: string;
  onChoose: (name: string, value: string) => void;
}) {
  return (
    <Labelled name={LABELS[name]}>
      {(id) => (
        <input
          id={id}
          key={value}
          defaultValue={value}
          placeholder="Any"
          onBlur={(event) => {
            if (event.target.value.trim() !== value) onChoose(name, event.target.value.trim());
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur();
          }}
        />
      )}
    </Labelled>
  );
}

function Labelled({ name, children }: { name: string; children: (id: string) => React.ReactNode }) {
  const id = useId();
  return (
    <div className="labelled">
      <label htmlFor={id}>{name}</label>
      {children(id)}
    </div>
  );
}
