import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../generated';
import type { SuggestedField } from '../generated/graphql';
import { Labelled } from './filters';
import { useDebounced } from './use-debounced';
import { useOptions } from './use-options';

const Suggestions = graphql(`
  query Suggestions($field: SuggestedField!, $text: String, $modelCode: String) {
    suggestions(field: $field, text: $text, modelCode: $modelCode, first: 8) { value label }
  }
`);

/** A filter's field with the values that the fleet has. Any other value may be typed as well. */
export function SuggestFilter({
  label,
  of,
  value,
  modelCode = null,
  onChoose,
}: {
  label: string;
  of: SuggestedField;
  /** The filter in force; empty: none. */
  value: string;
  modelCode?: string | null;
  onChoose: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setText(value), [value]);
  const asked = useDebounced(text === value ? '' : text.trim());
  const [{ data }] = useQuery({
    query: Suggestions,
    variables: { field: of, text: asked, modelCode: modelCode || null },
    pause: !isOpen,
  });
  // Until the answer to what was typed is there, those of the last one that match it.
  const words = text === value ? [] : text.toLowerCase().split(/\s+/);
  const options = (data?.suggestions ?? []).filter((option) =>
    words.every((word) => `${option.value} ${option.label ?? ''}`.toLowerCase().includes(word)),
  );
  const isShown = isOpen && options.length > 0;

  function take(chosen: string): void {
    setOpen(false);
    reset();
    setText(chosen);
    if (chosen !== value) onChoose(chosen);
  }
  const { active, field, idOf, listId, reset } = useOptions({
    options,
    isOpen: isShown,
    onTake: (option) => take(option.value),
    onClose: () => {
      setOpen(false);
      setText(value);
    },
  });

  return (
    <Labelled name={label}>
      {(id) => (
        <div className="suggest">
          <input
            id={id}
            placeholder="Any"
            value={text}
            {...field}
            onFocus={() => setOpen(true)}
            onChange={(event) => {
              setText(event.target.value);
              setOpen(true);
              reset();
            }}
            onBlur={() => take(text.trim())}
            onKeyDown={(event) => {
              field.onKeyDown(event);
              if (event.defaultPrevented) return;
              if (event.key === 'Enter') take(text.trim());
              if (event.key === 'Escape') setText(value);
            }}
          />
          {isShown && (
            <div id={listId} role="listbox" aria-label="Suggestions" className="options">
              {options.map((option, index) => (
                // The field has the keyboard.
                // biome-ignore lint/a11y/useFocusableInteractive: see above
                // biome-ignore lint/a11y/useKeyWithClickEvents: see above
                <div
                  key={option.value}
                  id={idOf(index)}
                  role="option"
                  aria-selected={index === active}
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => take(option.value)}
                >
                  {option.value}
                  {option.label != null && <span className="count"> {option.label}</span>}
                </div>
              ))}
            </div>
          )}
        </div>
      )}
    </Labelled>
  );
}
