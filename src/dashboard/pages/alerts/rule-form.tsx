import { type FormEvent, type ReactNode, useId } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { AlertFormat, AlertRuleInListFragment } from '../../generated/graphql';
import { Field } from '../../parts/field';
import { FORMATS } from './labels';
import type { Scope } from './use-scope';

const ModelsOfAlerts = graphql(`
  query ModelsOfAlerts { deviceModels(first: 200) { nodes { id code name } } }
`);

/** The values of the form. */
export interface FilledIn {
  name: string;
  /** Empty: the address does not change. */
  url: string;
  format: AlertFormat;
  onNew: boolean;
  onRegression: boolean;
  spikeCount: number | null;
  modelCode: string | null;
  crashGroupId: string | null;
}

/** The form of a new rule, or of a changed one. */
export function RuleForm({
  rule,
  scope,
  action,
  isRunning,
  onSubmit,
}: {
  rule?: AlertRuleInListFragment;
  /** The initial scope of a new rule. */
  scope: Scope | null;
  /** The text of the button: "Create". */
  action: string;
  isRunning: boolean;
  onSubmit: (filledIn: FilledIn) => void;
}) {
  const { data } = useLiveQuery(ModelsOfAlerts, {}, () => false);
  const group = rule === undefined ? scope?.group : rule.crashGroup;
  const modelCode = rule === undefined ? scope?.modelCode : rule.model?.code;
  const models = data?.deviceModels.nodes;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    onSubmit(readForm(new FormData(event.currentTarget)));
  }

  return (
    <form className="dialog-body" onSubmit={submit}>
      <Field
        label="Name"
        name="name"
        required
        maxLength={200}
        defaultValue={rule?.name}
        hint="For example the channel, or the program that receives it"
      />
      <Choice label="Format" name="format" value={rule?.format ?? 'SLACK'}>
        {Object.entries(FORMATS).map(([format, name]) => (
          <option key={format} value={format}>
            {name}
          </option>
        ))}
      </Choice>
      {rule === undefined ? (
        <Field
          label="Address"
          name="url"
          type="url"
          required
          maxLength={2000}
          placeholder="https://hooks.slack.com/services/…"
          hint="Of the webhook. It may be a secret: afterwards the page shows only its host."
        />
      ) : (
        <Field
          label="New address"
          name="url"
          type="url"
          maxLength={2000}
          placeholder={`${rule.target}/…`}
          hint="Empty: the address does not change."
        />
      )}
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
      {models !== undefined && (
        <Choice label="Model" name="model" value={modelCode ?? ''}>
          <option value="">Every model</option>
          {models.map(({ code, name }) => (
            <option key={code} value={code}>
              {name} ({code})
            </option>
          ))}
        </Choice>
      )}
      {group != null && (
        <Choice label="Crash group" name="group" value={group.id}>
          <option value="">Every group</option>
          <option value={group.id}>{group.title}</option>
        </Choice>
      )}
      <div className="dialog-actions">
        <button
          type="submit"
          className="button"
          data-tone="primary"
          disabled={isRunning || models === undefined}
        >
          {action}
        </button>
      </div>
    </form>
  );
}

function Choice({
  label,
  name,
  value,
  children,
}: {
  label: string;
  name: string;
  value: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div className="labelled field">
      <label htmlFor={id}>{label}</label>
      <select id={id} name={name} defaultValue={value}>
        {children}
      </select>
    </div>
  );
}

function readForm(form: FormData): FilledIn {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const format = (['SLACK', 'DISCORD', 'GENERIC'] as const).find((known) => known === text('format'));
  return {
    name: text('name'),
    url: text('url'),
    format: format ?? 'GENERIC',
    onNew: form.has('onNew'),
    onRegression: form.has('onRegression'),
    spikeCount: text('spikeCount') === '' ? null : Number(text('spikeCount')),
    modelCode: text('model') || null,
    crashGroupId: text('group') || null,
  };
}
