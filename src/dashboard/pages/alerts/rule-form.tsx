import { type FormEvent, useState } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { AlertFormat, AlertRuleInListFragment } from '../../generated/graphql';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { Choice } from './choice';
import { EventFields } from './event-fields';
import { FORMATS } from './labels';
import { type FilledIn, readForm } from './read-form';
import { TargetFields } from './target-fields';
import { TimeFields } from './time-fields';
import type { Scope } from './use-scope';

const ModelsOfAlerts = graphql(`
  query ModelsOfAlerts { deviceModels(first: 200) { nodes { id code name } } }
`);

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
  const [format, setFormat] = useState<AlertFormat>(rule?.format ?? 'SLACK');
  const group = rule === undefined ? scope?.group : rule.crashGroup;
  const modelCode = rule === undefined ? scope?.modelCode : rule.model?.code;
  const models = data?.deviceModels.nodes;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    onSubmit(readForm(new FormData(event.currentTarget)));
  }

  return (
    <form className="dialog-body alert-form" onSubmit={submit}>
      <Field
        label="Name"
        name="name"
        required
        maxLength={200}
        defaultValue={rule?.name}
        hint="For example the channel, or the program that receives it"
      />
      <Choice
        label="Format"
        name="format"
        value={format}
        onChange={(value) => setFormat(value as AlertFormat)}
      >
        {Object.entries(FORMATS).map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </Choice>
      <TargetFields rule={rule} format={format} />
      <EventFields rule={rule} />
      <TimeFields rule={rule} />
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
      <DialogActions submit={action} isDisabled={isRunning || models === undefined} />
    </form>
  );
}
