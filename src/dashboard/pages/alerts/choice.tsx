import { type ReactNode, useId } from 'react';

/** A labelled selection. */
export function Choice({
  label,
  name,
  value,
  onChange,
  children,
}: {
  label: string;
  name: string;
  /** The first choice. */
  value: string;
  onChange?: (value: string) => void;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div className="labelled field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        name={name}
        defaultValue={value}
        onChange={(event) => onChange?.(event.currentTarget.value)}
      >
        {children}
      </select>
    </div>
  );
}
