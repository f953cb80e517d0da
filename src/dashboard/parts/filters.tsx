import { type ComponentProps, type ReactNode, useId } from 'react';
import { useSearchParams } from 'wouter';

/** The filters of a list are in the address, so that it can be shared. Changing one returns to the first page. */
export function useFilters() {
  const [parameters, setParameters] = useSearchParams();
  function choose(name: string, value: string): void {
    setParameters((before) => {
      const next = new URLSearchParams(before);
      next.delete('after');
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  }
  return { parameters, choose };
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
