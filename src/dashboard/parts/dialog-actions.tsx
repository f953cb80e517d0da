/**
 * The buttons at the foot of a form in a dialog.
 *
 * @param submit the words of the button that submits the form
 * @param onCancel without it there is no button for it: the dialog has its own to close it
 */
export function DialogActions({
  submit,
  onCancel,
  isDisabled = false,
  tone = 'primary',
}: {
  submit: string;
  onCancel?: () => void;
  isDisabled?: boolean;
  tone?: 'primary' | 'danger';
}) {
  return (
    <div className="dialog-actions">
      {onCancel !== undefined && (
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      )}
      <button type="submit" className="button" data-tone={tone} disabled={isDisabled}>
        {submit}
      </button>
    </div>
  );
}
