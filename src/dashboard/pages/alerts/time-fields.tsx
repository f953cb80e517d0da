import { useState } from 'react';
import type { AlertRuleInListFragment } from '../../generated/graphql';
import { Field } from '../../parts/field';
import { Choice } from './choice';

/** When the rule sends: at once or collected, and never in quiet hours. */
export function TimeFields({ rule }: { rule: AlertRuleInListFragment | undefined }) {
  const [digest, setDigest] = useState<string>(rule?.digest ?? 'NONE');
  const [from, setFrom] = useState(rule?.quietHours?.from ?? '');
  const [to, setTo] = useState(rule?.quietHours?.to ?? '');
  const isQuiet = from !== '' || to !== '';
  return (
    <>
      <Choice label="Sends" name="digest" value={digest} onChange={setDigest}>
        <option value="NONE">Each alert at once</option>
        <option value="HOURLY">One message an hour</option>
        <option value="DAILY">One message a day</option>
      </Choice>
      {digest === 'DAILY' && (
        <Field
          label="At"
          name="digestAt"
          type="time"
          required
          defaultValue={rule?.digestAt ?? '08:00'}
          hint="An alert about the storage is sent at once all the same."
        />
      )}
      <fieldset className="alert-quiet">
        <legend className="hint">Quiet hours: what comes then is one message afterwards</legend>
        <Field
          label="From"
          name="quietFrom"
          type="time"
          required={isQuiet}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <Field
          label="To"
          name="quietTo"
          type="time"
          required={isQuiet}
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </fieldset>
      {digest === 'DAILY' || isQuiet ? (
        <Field
          label="Time zone"
          name="timeZone"
          required
          maxLength={64}
          defaultValue={rule === undefined || rule.timeZone === 'UTC' ? ownZone() : rule.timeZone}
          hint="A name such as Europe/Berlin. Summer time is heeded."
        />
      ) : (
        <input type="hidden" name="timeZone" value={rule?.timeZone ?? ownZone()} />
      )}
    </>
  );
}

function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
