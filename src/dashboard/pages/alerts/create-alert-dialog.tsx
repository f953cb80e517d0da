import { useState } from 'react';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import { CodeBlock } from '../../parts/code-block';
import { Dialog } from '../../parts/dialog';
import { useAction } from '../../parts/use-action';
import type { FilledIn } from './read-form';
import { RuleForm } from './rule-form';
import type { Scope } from './use-scope';

const CreateAlertRule = graphql(`
  mutation CreateAlertRule($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) { alertRule { id name } secret }
  }
`);

/** Creates a rule and shows its secret once; then opens the rule's page, where it can be tested. */
export function CreateAlertDialog({
  scope,
  isOpen,
  onClose,
}: {
  scope: Scope | null;
  isOpen: boolean;
  onClose: () => void;
}) {
  const [created, setCreated] = useState<{ id: string; name: string; secret: string } | null>(null);
  const { run, isRunning } = useAction(CreateAlertRule);
  const [, navigate] = useLocation();

  async function create(input: FilledIn) {
    const answer = await run({ input });
    if (answer === undefined) return;
    const { alertRule, secret } = answer.createAlertRule;
    setCreated({ ...alertRule, secret });
  }
  function close() {
    onClose();
    if (created !== null) navigate(`/alerts/${encodeURIComponent(created.id)}`);
  }

  return (
    <Dialog title={created === null ? 'New alert' : 'Alert created'} isOpen={isOpen} onClose={close}>
      {created === null ? (
        <RuleForm
          scope={scope}
          action="Create"
          isRunning={isRunning}
          onSubmit={(filledIn) => void create(filledIn)}
        />
      ) : (
        <div className="dialog-body">
          <p>
            This is the secret of <b>{created.name}</b>. It is shown only now. Chats and mails do not need it;
            your own program uses it to verify that an alert comes from this server and is recent:{' '}
            <code>Coredock-Signature: t=SECONDS,v1=HEX</code> has the HMAC-SHA-256 over{' '}
            <code>SECONDS.BODY</code>.
          </p>
          <CodeBlock label="Secret" text={created.secret} />
          <div className="dialog-actions">
            <button type="button" className="button" data-tone="primary" onClick={close}>
              Open the alert to test it
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}
