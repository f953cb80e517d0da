import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { OwnCodeRuleInput, PreviewOwnCodeQuery } from '../../generated/graphql';
import { ErrorNotice } from '../../parts/notices';
import { countText } from '../../parts/sizes';

const PreviewOwnCode = graphql(`
  query PreviewOwnCode($modelCode: String!, $rules: [OwnCodeRuleInput!]!) {
    previewOwnCodeRules(modelCode: $modelCode, rules: $rules) {
      lookedAtCount isComplete changedCount changedGroupCount
      changes { kind count titleBefore titleAfter crashGroup { id } intoCrashGroup { id } }
    }
  }
`);

type Preview = NonNullable<PreviewOwnCodeQuery['previewOwnCodeRules']>;

/** Pause after the last key before the server is asked. */
const WAIT_MS = 400;
const SHOWN = 8;

/** What the rules would change, as they are typed. */
export function OwnCodePreview({ modelCode, rules }: { modelCode: string; rules: OwnCodeRuleInput[] }) {
  const wanted = JSON.stringify(rules);
  const [asked, setAsked] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(wanted), WAIT_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const [{ data, fetching, error }] = useQuery({
    query: PreviewOwnCode,
    variables: { modelCode, rules: JSON.parse(asked) as OwnCodeRuleInput[] },
    requestPolicy: 'network-only',
  });
  if (error !== undefined) return <ErrorNotice error={error} />;
  const preview = data?.previewOwnCodeRules;
  const isWaiting = fetching || asked !== wanted || preview == null;
  return (
    <div className="notice" role="status">
      {isWaiting ? <p>Looking at the stored crashes …</p> : <Changes preview={preview} />}
    </div>
  );
}

function Changes({ preview }: { preview: Preview }) {
  const { lookedAtCount, isComplete, changedCount, changedGroupCount, changes } = preview;
  const of = isComplete ? '' : ` Looked at the newest ${countText(lookedAtCount, 'crash', 'crashes')} only.`;
  if (changedCount === 0) return <p>No stored crash changes its place.{of}</p>;
  return (
    <>
      <p>
        <b>{countText(changedCount, 'crash', 'crashes')}</b> of {countText(changedGroupCount, 'group')}{' '}
        {changedCount === 1 ? 'changes its place' : 'change their place'}.{of}
      </p>
      <ul className="own-code-changes">
        {changes.slice(0, SHOWN).map((change) => (
          <li key={`${change.crashGroup?.id} ${change.titleAfter}`}>
            {countText(change.count, 'crash', 'crashes')}: {change.titleBefore} → <b>{change.titleAfter}</b>{' '}
            <span className="count">{WORDS[change.kind]}</span>
          </li>
        ))}
      </ul>
      {changes.length > SHOWN && <p className="hint">and {changes.length - SHOWN} more</p>}
    </>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  RENAMED: '(the group is renamed)',
  JOINED: '(they join that group)',
  SPLIT: '(a new group)',
};
