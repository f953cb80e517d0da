import { type ComponentProps, type ReactNode, useId } from 'react';
import { useSearchParams } from 'wouter';

/** The filters of a list are in the address, so that it can be shared. Changing one returns to the first page. */
export function useFilters() {
  const [parameters, setParameters] = useSearchParams();
  function chooseAll(values: Readonly<Record<string, string>>): void {
    setParameters((before) => {
      const next = new URLSearchParams(before);
      next.delete('after');
      for (const [name, value] of Object.entries(values)) {
        if (value === '') next.delete(name);
        else next.set(name, value);
      }
      return next;
    });
  }
  const choose = (name: string, value: string) => chooseAll({ [name]: value });
  return { parameters, choose, chooseAll };
}

/** Applied on blur or Enter, so that not every letter starts a search. */
export function TextFilter({
  label,
  value,
  onChoose,
  ...input
}: { label: string; value: string; onChoose: (value: string) => void } & ComponentProps<'input'>) {
  return (
    <Labelled name={label}>
      {(id) => (
        <input
          id={id}
          key={value}
          defaultValue={value}
          placeholder="Any"
          {...input}
          onBlur={(event) => {
            if (event.target.value.trim() !== value) onChoose(event.target.value.trim());
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur();
            // Leaves the field without changing the list.
            if (event.key === 'Escape') event.currentTarget.value = value;
          }}
        />
      )}
    </Labelled>
  );
}

export function Labelled({ name, children }: { name: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="labelled">
      <label htmlFor={id}>{name}</label>
      {children(id)}
    </div>
  );
}
