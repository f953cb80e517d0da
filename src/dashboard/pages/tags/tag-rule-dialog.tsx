import { type FormEvent, useEffect, useId, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { TagConditionsInput, TagInListFragment, TagRuleInListFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { ErrorNotice } from '../../parts/notices';
import { countText } from '../../parts/sizes';
import { useAction } from '../../parts/use-action';
import { CRASH_KINDS, isCrashKind } from '../groups/crash-kinds';

const ModelsForTagRule = graphql(`
  query ModelsForTagRule { deviceModels(first: 200, orderBy: { field: NAME, direction: ASC }) { nodes { id code name } } }
`);
const PreviewTagRule = graphql(`
  query PreviewTagRule($conditions: TagConditionsInput!) {
    previewTagRule(conditions: $conditions) { groupCount isComplete crashGroups { id title } }
  }
`);
const CreateTagRule = graphql(`
  mutation CreateTagRule($input: CreateTagRuleInput!) { createTagRule(input: $input) { tagRule { id } } }
`);
const UpdateTagRule = graphql(`
  mutation UpdateTagRule($input: UpdateTagRuleInput!) { updateTagRule(input: $input) { tagRule { id } } }
`);

type Edited = TagRuleInListFragment | 'new';

/** The conditions of a rule, with the groups that meet them. */
export function TagRuleDialog({
  tag,
  rule,
  onClose,
}: {
  tag: TagInListFragment;
  rule: Edited | null;
  onClose: () => void;
}) {
  return (
    <Dialog title={`Rule for the tag ${tag.name}`} isOpen={rule !== null} onClose={onClose}>
      {rule !== null && <RuleForm tag={tag} rule={rule} onClose={onClose} />}
    </Dialog>
  );
}

const PATTERNS = [
  ['function', 'Function', 'wifi_*'],
  ['file', 'File, without folders', 'wifi.c'],
  ['task', 'Task', 'wifi*'],
  ['reason', 'Reason', 'assert failed: *'],
  ['version', 'Version', '2.*'],
] as const;

function RuleForm({ tag, rule, onClose }: { tag: TagInListFragment; rule: Edited; onClose: () => void }) {
  const [conditions, setConditions] = useState<TagConditionsInput>(() => conditionsOf(rule));
  const [{ data }] = useQuery({ query: ModelsForTagRule });
  const modelId = useId();
  const kindId = useId();
  const create = useAction(CreateTagRule);
  const update = useAction(UpdateTagRule);
  const isSet = Object.values(conditions).some((text) => text != null && text !== '');

  async function submit(event: FormEvent) {
    event.preventDefault();
    const answer =
      rule === 'new'
        ? await create.run({ input: { tagId: tag.id, conditions } })
        : await update.run({ input: { id: rule.id, conditions } });
    if (answer !== undefined) onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <p className="hint">
        A crash must meet all conditions that are set. In texts <code>*</code> stands for any characters.
      </p>
      <div className="labelled field">
        <label htmlFor={modelId}>Model</label>
        <select
          id={modelId}
          value={conditions.modelCode ?? ''}
          onChange={({ target }) => setConditions((all) => ({ ...all, modelCode: target.value || null }))}
        >
          <option value="">Any</option>
          {data?.deviceModels?.nodes.map(({ id, code, name }) => (
            <option key={id} value={code}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div className="labelled field">
        <label htmlFor={kindId}>Kind</label>
        <select
          id={kindId}
          value={conditions.kind ?? ''}
          onChange={({ target: { value } }) =>
            setConditions((all) => ({ ...all, kind: isCrashKind(value) ? value : null }))
          }
        >
          <option value="">Any</option>
          {Object.entries(CRASH_KINDS).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {PATTERNS.map(([name, label, example]) => (
        <Field
          key={name}
          label={label}
          placeholder={example}
          maxLength={200}
          value={conditions[name] ?? ''}
          onChange={({ target }) => setConditions((all) => ({ ...all, [name]: target.value || null }))}
        />
      ))}
      {isSet && <Preview conditions={conditions} />}
      <DialogActions
        submit="Save and apply"
        onCancel={onClose}
        isDisabled={!isSet || create.isRunning || update.isRunning}
      />
    </form>
  );
}

function conditionsOf(rule: Edited): TagConditionsInput {
  if (rule === 'new') return {};
  const { model, kind, function: name, file, task, reason, version } = rule;
  const texts = { function: name ?? null, file: file ?? null, task: task ?? null };
  return {
    modelCode: model?.code ?? null,
    kind: kind ?? null,
    ...texts,
    reason: reason ?? null,
    version: version ?? null,
  };
}

/** Pause after the last key before the server is asked. */
const WAIT_MS = 400;

function Preview({ conditions }: { conditions: TagConditionsInput }) {
  const wanted = JSON.stringify(conditions);
  const [asked, setAsked] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(wanted), WAIT_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const [{ data, fetching, error }] = useQuery({
    query: PreviewTagRule,
    variables: { conditions: JSON.parse(asked) as TagConditionsInput },
    requestPolicy: 'network-only',
  });
  if (error !== undefined) return <ErrorNotice error={error} />;
  const preview = data?.previewTagRule;
  if (fetching || asked !== wanted || preview == null)
    return (
      <p className="notice" role="status">
        Looking for groups …
      </p>
    );
  const { groupCount, isComplete, crashGroups } = preview;
  return (
    <div className="notice" role="status">
      <p>
        Matches {!isComplete && 'at least '}
        <b>{countText(groupCount, 'group')}</b>
        {crashGroups.length > 0 && `: ${crashGroups.map(({ title }) => title).join(', ')}`}
        {groupCount > crashGroups.length && ', …'}
      </p>
    </div>
  );
}
