import { type FormEvent, useRef, useState } from 'react';
import { graphql } from '../../generated';
import type { OwnCodeOnPageFragment, OwnCodeRuleInput } from '../../generated/graphql';
import { DialogActions } from '../../parts/dialog-actions';
import { useAction } from '../../parts/use-action';
import { OwnCodePreview } from './own-code-preview';

const SetOwnCodeRules = graphql(`
  mutation SetOwnCodeRules($input: SetOwnCodeRulesInput!) {
    setOwnCodeRules(input: $input) { deviceModel { ...OwnCodeOnPage } }
  }
`);

const MAX_RULES = 100;

interface EditedRule extends OwnCodeRuleInput {
  key: number;
}

/** Edits the rules as one list; the first that matches a frame decides. */
export function OwnCodeForm({
  model,
  added,
  onClose,
}: {
  model: OwnCodeOnPageFragment;
  /** A rule to add in front of the others. */
  added: OwnCodeRuleInput | null;
  onClose: () => void;
}) {
  const nextKey = useRef(0);
  const withKey = (rule: OwnCodeRuleInput): EditedRule => {
    nextKey.current += 1;
    return { ...plain(rule), key: nextKey.current };
  };
  const [rules, setRules] = useState(() =>
    [...(added === null ? [] : [added]), ...model.ownCodeRules].map(withKey),
  );
  const list = useRef<HTMLOListElement>(null);
  const { run, isRunning } = useAction(SetOwnCodeRules);
  const wanted = rules.map(plain).filter(({ pattern }) => pattern.trim() !== '');

  function change(key: number, changes: Partial<OwnCodeRuleInput>) {
    setRules((all) => all.map((rule) => (rule.key === key ? { ...rule, ...changes } : rule)));
  }
  function move(at: number, by: number) {
    setRules((all) => {
      const next = [...all];
      next.splice(at + by, 0, ...next.splice(at, 1));
      return next;
    });
  }
  function add() {
    setRules((all) => [...all, withKey({ kind: 'PATH', pattern: '', isOwn: false })]);
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus(),
    );
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if ((await run({ input: { modelCode: model.code, rules: wanted } })) !== undefined) onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <p className="hint">
        The first rule that matches a frame decides; without one all but system functions is own. A path is a
        folder or file, wherever it is in a file’s path. In a function <code>*</code> stands for any
        characters.
      </p>
      <ol className="rule-rows" ref={list}>
        {rules.map((rule, at) => (
          <li key={rule.key}>
            <select
              aria-label={`Kind of rule ${at + 1}`}
              value={rule.kind}
              onChange={({ target }) =>
                change(rule.key, { kind: target.value === 'PATH' ? 'PATH' : 'FUNCTION' })
              }
            >
              <option value="PATH">Path</option>
              <option value="FUNCTION">Function</option>
            </select>
            <input
              aria-label={`Pattern of rule ${at + 1}`}
              value={rule.pattern}
              maxLength={200}
              placeholder={rule.kind === 'PATH' ? 'components/vendor' : 'vendor_*'}
              onChange={({ target }) => change(rule.key, { pattern: target.value })}
            />
            <select
              aria-label={`Meaning of rule ${at + 1}`}
              value={String(rule.isOwn)}
              onChange={({ target }) => change(rule.key, { isOwn: target.value === 'true' })}
            >
              <option value="false">is not own</option>
              <option value="true">is own</option>
            </select>
            <button
              type="button"
              className="button"
              aria-label={`Move rule ${at + 1} up`}
              disabled={at === 0}
              onClick={() => move(at, -1)}
            >
              ↑
            </button>
            <button
              type="button"
              className="button"
              aria-label={`Move rule ${at + 1} down`}
              disabled={at === rules.length - 1}
              onClick={() => move(at, 1)}
            >
              ↓
            </button>
            <button
              type="button"
              className="button"
              aria-label={`Remove rule ${at + 1}`}
              onClick={() => setRules((all) => all.filter(({ key }) => key !== rule.key))}
            >
              ×
            </button>
          </li>
        ))}
      </ol>
      <div className="actions">
        <button type="button" className="button" disabled={rules.length >= MAX_RULES} onClick={add}>
          Add rule
        </button>
      </div>
      <OwnCodePreview modelCode={model.code} rules={wanted} />
      <DialogActions submit="Save and regroup" onCancel={onClose} isDisabled={isRunning} />
    </form>
  );
}

function plain({ kind, pattern, isOwn }: OwnCodeRuleInput): OwnCodeRuleInput {
  return { kind, pattern, isOwn };
}
