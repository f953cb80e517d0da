import { useState } from 'react';
import { graphql } from '../../generated';
import type { TagInListFragment, TagRuleInListFragment } from '../../generated/graphql';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';
import { CRASH_KINDS } from '../groups/crash-kinds';
import { TagRuleDialog } from './tag-rule-dialog';

graphql(`
  fragment TagRuleInList on TagRule { id model { id code name } kind function file task reason version }
`);
const DeleteTagRule = graphql(`
  mutation DeleteTagRule($id: ID!) { deleteTagRule(input: { id: $id }) { deletedTagRuleId } }
`);

/** The rules that give a tag: one of them is enough. */
export function TagRules({ tag }: { tag: TagInListFragment }) {
  /** The rule in the dialog; "new" for one that is made. */
  const [edited, setEdited] = useState<TagRuleInListFragment | 'new' | null>(null);
  const { run } = useAction(DeleteTagRule);
  return (
    <div className="own-code-rules">
      <ul className="tag-rules">
        {tag.rules.map((rule) => (
          <li key={rule.id}>
            <span>{wordsOf(rule)}</span>
            <ForAdmins>
              <button type="button" className="quiet-button" onClick={() => setEdited(rule)}>
                Edit rule
              </button>
              <button type="button" className="quiet-button" onClick={() => void run({ id: rule.id })}>
                Delete rule
              </button>
            </ForAdmins>
          </li>
        ))}
      </ul>
      {tag.rules.length === 0 && <p className="hint">Given by people only: it has no rules.</p>}
      <ForAdmins>
        <button type="button" className="quiet-button" onClick={() => setEdited('new')}>
          Add rule
        </button>
        <TagRuleDialog tag={tag} rule={edited} onClose={() => setEdited(null)} />
      </ForAdmins>
    </div>
  );
}

function wordsOf({ model, kind, ...patterns }: TagRuleInListFragment): string {
  const { function: name, file, task, reason, version } = patterns;
  const words = Object.entries({ function: name, file, task, reason, version })
    .filter(([, text]) => text != null)
    .map(([what, text]) => `${what} ${text}`);
  return [
    ...(model == null ? [] : [`model ${model.name}`]),
    ...(kind == null ? [] : [CRASH_KINDS[kind]]),
    ...words,
  ].join(' · ');
}
