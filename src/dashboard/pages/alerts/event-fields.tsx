import type { AlertRuleInListFragment } from '../../generated/graphql';
import { Field } from '../../parts/field';

/** What the rule reports. */
export function EventFields({ rule }: { rule: AlertRuleInListFragment | undefined }) {
  return (
    <>
      <fieldset className="choices">
        <legend className="hint">Reports</legend>
        <label>
          <input type="checkbox" name="onNew" defaultChecked={rule?.onNew ?? true} /> new groups: the first
          crash at a place
        </label>
        <label>
          <input type="checkbox" name="onRegression" defaultChecked={rule?.onRegression ?? true} />{' '}
          regressions: a resolved group that crashed again
        </label>
        <label>
          <input type="checkbox" name="onNewInVersion" defaultChecked={rule?.onNewInVersion ?? false} /> the
          first crash of a version
        </label>
        <label>
          <input type="checkbox" name="onWaitingBuild" defaultChecked={rule?.onWaitingBuild ?? false} /> dumps
          that wait for a build that nobody has uploaded
        </label>
      </fieldset>
      <Field
        label="Spike: crashes of a group within an hour"
        name="spikeCount"
        type="number"
        min={2}
        max={1_000_000}
        defaultValue={rule?.spikeCount ?? ''}
        hint="Empty: no alert about spikes."
      />
      <Field
        label="Crash loop: crashes of one device within an hour"
        name="loopCrashes"
        type="number"
        min={2}
        defaultValue={rule?.loopCrashes ?? ''}
        hint="Empty: no alert about loops."
      />
      <Field
        label="Storage: percent in use"
        name="storagePercent"
        type="number"
        min={1}
        max={100}
        defaultValue={rule?.storagePercent ?? ''}
        hint="Empty: no alert about the storage. Only for every model."
      />
    </>
  );
}
