import { useState } from 'react';
import { isSpan } from './date-range';
import { Labelled, useFilters } from './filters';

const CUSTOM = 'custom';

/** A range of time: the last hours or days, or two days. @param label what happened then: "Arrived" */
export function DateFilter({ label }: { label: string }) {
  const { parameters, chooseAll } = useFilters();
  const [since, from, to] = ['since', 'from', 'to'].map((name) => parameters.get(name) ?? '');
  const [isCustom, setCustom] = useState(from !== '' || to !== '');
  const chosen = isCustom ? CUSTOM : isSpan(since ?? '') ? since : '';

  return (
    <>
      <Labelled name={label}>
        {(id) => (
          <select
            id={id}
            value={chosen}
            onChange={({ target: { value } }) => {
              setCustom(value === CUSTOM);
              chooseAll(value === CUSTOM ? { since: '' } : { since: value, from: '', to: '' });
            }}
          >
            <option value="">Any time</option>
            <option value="24h">Last 24 hours</option>
            <option value="7d">Last 7 days</option>
            <option value="30d">Last 30 days</option>
            <option value={CUSTOM}>From … to …</option>
          </select>
        )}
      </Labelled>
      {isCustom &&
        (
          [
            ['from', 'From', from],
            ['to', 'To', to],
          ] as const
        ).map(([name, text, value]) => (
          <Labelled key={name} name={text}>
            {(id) => (
              <input
                id={id}
                type="date"
                value={value}
                onChange={(event) => chooseAll({ [name]: event.target.value })}
              />
            )}
          </Labelled>
        ))}
    </>
  );
}
