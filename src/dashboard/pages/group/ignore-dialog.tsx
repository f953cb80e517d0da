import { type FormEvent, useState } from 'react';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';

const IgnoreGroup = graphql(`
  mutation IgnoreGroup($id: ID!, $until: IgnoreUntil) {
    ignoreCrashGroup(input: { id: $id, until: $until }) { crashGroup { id state } }
  }
`);

type Until = 'person' | 'crashes' | 'version' | 'at';

const CHOICES: [until: Until, label: string][] = [
  ['person', 'Until somebody opens it'],
  ['crashes', 'For a number of further crashes'],
  ['version', 'Until a version crashes'],
  ['at', 'Until a time'],
];

/** Ignores a group, for good or until something comes. */
export function IgnoreDialog({
  group,
  isOpen,
  onClose,
}: {
  group: Pick<GroupOnPageFragment, 'id'>;
  isOpen: boolean;
  onClose: () => void;
}) {
  const [until, setUntil] = useState<Until>('person');
  const ignore = useAction(IgnoreGroup);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const value = String(new FormData(event.currentTarget).get('value') ?? '').trim();
    const answer = await ignore.run({ id: group.id, until: untilOf(until, value) });
    if (answer !== undefined) onClose();
  }

  return (
    <Dialog title="Ignore" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <p className="hint">Its crashes are counted, but send no alerts.</p>
        <fieldset className="choices">
          <legend className="visually-hidden">Until when</legend>
          {CHOICES.map(([name, label]) => (
            <label key={name}>
              <input
                type="radio"
                name="until"
                value={name}
                checked={until === name}
                onChange={() => setUntil(name)}
              />{' '}
              {label}
            </label>
          ))}
        </fieldset>
        {until === 'crashes' && (
          <Field
            label="Crashes"
            name="value"
            type="number"
            min={1}
            max={1_000_000}
            required
            defaultValue={100}
          />
        )}
        {until === 'version' && (
          <Field
            label="Version"
            name="value"
            required
            maxLength={64}
            placeholder="1.4.0"
            hint="A crash in that version or a later one opens it again."
          />
        )}
        {until === 'at' && <Field label="Time" name="value" type="datetime-local" required />}
        <DialogActions submit="Ignore" isDisabled={ignore.isRunning} />
      </form>
    </Dialog>
  );
}

function untilOf(until: Until, value: string) {
  if (until === 'crashes') return { crashes: Number(value) };
  if (until === 'version') return { version: value };
  return until === 'at' ? { at: new Date(value).toISOString() } : null;
}
