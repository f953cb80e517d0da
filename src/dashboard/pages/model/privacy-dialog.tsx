import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { CoredumpFilter, ModelOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { countText } from '../../parts/sizes';
import { useAction } from '../../parts/use-action';

const SetModelPrivacy = graphql(`
  mutation SetModelPrivacy($input: SetModelPrivacyInput!) {
    setModelPrivacy(input: $input) { deviceModel { ...ModelOnPage } }
  }
`);
const DumpsToLose = graphql(`
  query DumpsToLose($filter: CoredumpFilter!) { coredumps(first: 0, filter: $filter) { totalCount } }
`);

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_DAYS = 36_500;

interface PrivacyDialogProps {
  model: ModelOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}

/** Changes a model's privacy settings, and shows beforehand what will be removed, and when. */
export function PrivacyDialog({ model, isOpen, onClose }: PrivacyDialogProps) {
  return (
    <Dialog title={`Data retention of ${model.name}`} isOpen={isOpen} onClose={onClose}>
      <PrivacyForm model={model} onClose={onClose} />
    </Dialog>
  );
}

function PrivacyForm({ model, onClose }: Omit<PrivacyDialogProps, 'isOpen'>) {
  const [{ removeRawOnceRead, keepRawDays, rawForAdminsOnly }, setPrivacy] = useState(model.privacy);
  const { run, isRunning } = useAction(SetModelPrivacy);
  const isRemoving = removeRawOnceRead || keepRawDays != null;

  async function submit(event: FormEvent) {
    event.preventDefault();
    const input = {
      modelCode: model.code,
      removeRawOnceRead,
      keepRawDays: keepRawDays ?? null,
      rawForAdminsOnly,
    };
    if ((await run({ input })) !== undefined) onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <fieldset className="choices">
        <legend className="hint">Raw dumps</legend>
        <label>
          <input
            type="checkbox"
            checked={removeRawOnceRead}
            onChange={({ target }) => setPrivacy((all) => ({ ...all, removeRawOnceRead: target.checked }))}
          />{' '}
          are removed as soon as they are parsed
        </label>
        <label>
          <input
            type="checkbox"
            checked={rawForAdminsOnly}
            onChange={({ target }) => setPrivacy((all) => ({ ...all, rawForAdminsOnly: target.checked }))}
          />{' '}
          can be downloaded by admins only
        </label>
      </fieldset>
      <Field
        label="Days that they are kept, parsed or not"
        type="number"
        min={1}
        max={MAX_DAYS}
        value={keepRawDays ?? ''}
        onChange={({ target }) =>
          setPrivacy((all) => ({ ...all, keepRawDays: target.value === '' ? null : Number(target.value) }))
        }
        hint="Empty: as long as the dump."
      />
      <div className="notice" data-tone={isRemoving ? 'warn' : undefined} role="status">
        {isRemoving ? (
          <>
            {removeRawOnceRead && <OnceRead modelCode={model.code} />}
            {keepRawDays != null && <AfterDays modelCode={model.code} days={keepRawDays} />}
            <p>
              Removed bytes cannot be downloaded or parsed again, not even with a firmware that is uploaded
              later. Reports and texts stay.
            </p>
          </>
        ) : (
          <p>These settings remove nothing.</p>
        )}
      </div>
      <DialogActions
        submit={isRemoving ? 'Save and remove' : 'Save'}
        onCancel={onClose}
        isDisabled={isRunning}
        tone={isRemoving ? 'danger' : 'primary'}
      />
    </form>
  );
}

function OnceRead({ modelCode }: { modelCode: string }) {
  return (
    <p>
      At once: the raw bytes of <Concerned filter={{ modelCode: [modelCode], parseStatus: ['PARSED'] }} />{' '}
      that are already parsed. From then on: those of each dump when it is parsed.
    </p>
  );
}

function AfterDays({ modelCode, days }: { modelCode: string; days: number }) {
  // Computed once, when the value is typed: the query must not change at each rendering.
  const [now] = useState(() => Date.now());
  if (!(days >= 1 && days <= MAX_DAYS)) return null;
  const before = new Date(now - days * DAY_MS).toISOString();
  return (
    <p>
      At once: the raw bytes of <Concerned filter={{ modelCode: [modelCode], uploadedBefore: before }} /> that
      were uploaded {countText(days, 'day')} ago or earlier. From then on: those of each dump after that many
      days. The removal runs every hour.
    </p>
  );
}

/** The raw bytes of some may be deleted already. */
function Concerned({ filter }: { filter: CoredumpFilter }) {
  const [{ data }] = useQuery({ query: DumpsToLose, variables: { filter } });
  if (data?.coredumps == null) return <>the dumps</>;
  return <b>{countText(data.coredumps.totalCount, 'dump')}</b>;
}
