import { type FormEvent, useId, useState } from 'react';
import { graphql } from '../../generated';
import type { ModelOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { useAction } from '../../parts/use-action';
import { exampleOf, SOURCES, type Templates, TICKETS } from './link-presets';

const UpdateModelLinks = graphql(`
  mutation UpdateModelLinks($input: UpdateModelLinksInput!) {
    updateModelLinks(input: $input) { deviceModel { ...ModelOnPage } }
  }
`);

interface LinksDialogProps {
  model: ModelOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}

/** Changes the templates of a model's links, and shows an address that each makes. */
export function LinksDialog({ model, isOpen, onClose }: LinksDialogProps) {
  return (
    <Dialog title={`Links of ${model.name}`} isOpen={isOpen} onClose={onClose}>
      <LinksForm model={model} onClose={onClose} />
    </Dialog>
  );
}

const FIELDS = [
  ['sourceUrl', 'Source line', '{revision}, {path}, {line}'],
  ['compareUrl', 'Comparison of two revisions', '{from}, {to}'],
  ['ticketUrl', 'New ticket', '{title}, {body}'],
  ['deviceUrl', 'Your own page of a device', '{key}, {serial}, {name}, {model}'],
] as const;
const PREFIXES = 'Beginnings of file names that the repository does not have';
const LABELS = {
  ...Object.fromEntries(FIELDS.map(([field, label]) => [field, label])),
  sourcePrefixes: PREFIXES,
};

function LinksForm({ model, onClose }: Omit<LinksDialogProps, 'isOpen'>) {
  const prefixesId = useId();
  const [links, setLinks] = useState<Templates>(model.links);
  const [prefixes, setPrefixes] = useState(model.links.sourcePrefixes.join('\n'));
  const { run, isRunning } = useAction(UpdateModelLinks, { labels: LABELS });

  async function submit(event: FormEvent) {
    event.preventDefault();
    const templates = FIELDS.map(([field]) => [field, links[field]?.trim() || null]);
    const input = {
      ...Object.fromEntries(templates),
      modelCode: model.code,
      sourcePrefixes: prefixes.split('\n').filter((prefix) => prefix.trim() !== ''),
    };
    if ((await run({ input })) !== undefined) onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <p className="hint">
        Addresses begin with https://. Placeholders are filled in. A link to the source needs the revision of
        the build: <code>coredock firmware upload --revision</code>.
      </p>
      {(
        [
          ['Source', SOURCES],
          ['Tickets', TICKETS],
        ] as const
      ).map(([what, presets]) => (
        <fieldset key={what} className="link-presets">
          <legend className="hint">{what} like on</legend>
          {presets.map(({ name, templates }) => (
            <button
              key={name}
              type="button"
              className="quiet-button"
              onClick={() => setLinks((all) => ({ ...all, ...templates }))}
            >
              {name}
            </button>
          ))}
        </fieldset>
      ))}
      {FIELDS.map(([field, label, placeholders]) => {
        const template = links[field] ?? '';
        return (
          <div key={field} className="link-fields">
            <Field
              label={label}
              type="text"
              inputMode="url"
              maxLength={1000}
              spellCheck={false}
              value={template}
              onChange={({ target }) => setLinks((all) => ({ ...all, [field]: target.value }))}
              hint={
                template === ''
                  ? `Placeholders: ${placeholders}. Empty: no link.`
                  : `Example: ${exampleOf(template, model.code)}`
              }
            />
            {field === 'sourceUrl' && (
              <div className="labelled field">
                <label htmlFor={prefixesId}>{PREFIXES}</label>
                <textarea
                  id={prefixesId}
                  rows={2}
                  spellCheck={false}
                  value={prefixes}
                  aria-describedby={`${prefixesId}-hint`}
                  onChange={({ target }) => setPrefixes(target.value)}
                />
                <p id={`${prefixesId}-hint`} className="hint">
                  One on each line, such as /srv/build/fw/. The folders of GitHub’s and GitLab’s CI need none.
                </p>
              </div>
            )}
          </div>
        );
      })}
      <DialogActions submit="Save" onCancel={onClose} isDisabled={isRunning} />
    </form>
  );
}
