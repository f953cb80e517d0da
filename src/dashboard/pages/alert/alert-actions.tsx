import { useState } from 'react';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import type { AlertRuleInListFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { Dialog } from '../../parts/dialog';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import type { FilledIn } from '../alerts/read-form';
import { RuleForm } from '../alerts/rule-form';

const UpdateAlertRule = graphql(`
  mutation UpdateAlertRule($input: UpdateAlertRuleInput!) {
    updateAlertRule(input: $input) { alertRule { ...AlertRuleInList } }
  }
`);
const DeleteAlertRule = graphql(`
  mutation DeleteAlertRule($id: ID!) { deleteAlertRule(input: { id: $id }) { deletedAlertRuleId } }
`);

/** The actions on a rule. */
export function AlertActions({
  rule,
  isTesting,
  onTest,
}: {
  rule: AlertRuleInListFragment;
  isTesting: boolean;
  onTest: () => void;
}) {
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const update = useAction(UpdateAlertRule);
  const remove = useAction(DeleteAlertRule);
  const { show } = useToasts();
  const [, navigate] = useLocation();
  const close = () => setOpen(null);

  async function change(filledIn: FilledIn) {
    const input = { id: rule.id, ...filledIn };
    if ((await update.run({ input })) !== undefined) close();
  }
  async function deleteRule() {
    if ((await remove.run({ id: rule.id })) === undefined) return;
    show({ text: `${rule.name} is deleted` });
    navigate('/alerts');
  }

  return (
    <div className="actions">
      <button type="button" className="button" data-tone="primary" disabled={isTesting} onClick={onTest}>
        Send a test
      </button>
      <button type="button" className="button" onClick={() => setOpen('edit')}>
        Edit
      </button>
      <button
        type="button"
        className="button"
        disabled={update.isRunning}
        onClick={() => void update.run({ input: { id: rule.id, enabled: !rule.enabled } })}
      >
        {rule.enabled ? 'Switch off' : 'Switch on'}
      </button>
      <button type="button" className="button" data-tone="danger" onClick={() => setOpen('delete')}>
        Delete
      </button>
      <Dialog title="Edit alert" isOpen={open === 'edit'} onClose={close}>
        <RuleForm
          rule={rule}
          scope={null}
          action="Save"
          isRunning={update.isRunning}
          onSubmit={(filledIn) => void change(filledIn)}
        />
      </Dialog>
      <ConfirmDialog
        title="Delete this alert?"
        action="Delete alert"
        isOpen={open === 'delete'}
        onClose={close}
        onConfirm={() => void deleteRule()}
      >
        <p>
          Pending alerts are not sent, and the log is deleted too. To silence it for a while, switch it off.
        </p>
      </ConfirmDialog>
    </div>
  );
}
