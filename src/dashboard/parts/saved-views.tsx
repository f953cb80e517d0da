import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useSearch } from 'wouter';
import { graphql } from '../generated';
import { Dialog } from './dialog';
import { DialogActions } from './dialog-actions';
import { useToasts } from './toasts';
import { useAction } from './use-action';

const SavedViewList = graphql(`
  query SavedViewList { savedViews { id name address createdBy canDelete } }
`);
const SaveView = graphql(`
  mutation SaveView($input: SaveViewInput!) { saveView(input: $input) { savedView { id name } } }
`);
const DeleteSavedView = graphql(`
  mutation DeleteSavedView($id: ID!) { deleteSavedView(input: { id: $id }) { deletedSavedViewId } }
`);

/** Lists that people have named, and a way to name this one. */
export function SavedViews() {
  const [location] = useLocation();
  const search = useSearch();
  const [isNaming, setNaming] = useState(false);
  const [{ data }, readAgain] = useQuery({ query: SavedViewList });
  const { run: save, isRunning } = useAction(SaveView);
  const { run: remove } = useAction(DeleteSavedView);
  const { show } = useToasts();
  const address = addressOf(location, search);
  const refresh = () => readAgain({ requestPolicy: 'network-only' });

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name')).trim();
    if ((await save({ input: { name, address } })) === undefined) return;
    setNaming(false);
    refresh();
    show({ text: `This list is saved as “${name}”` });
  }

  return (
    <>
      <details className="menu">
        <summary className="button">Views</summary>
        <div className="menu-items">
          {data?.savedViews?.map((view) => (
            <div key={view.id} className="menu-row">
              <Link
                href={view.address}
                title={`Saved by ${view.createdBy}`}
                onClick={(event) => event.currentTarget.closest('details')?.removeAttribute('open')}
              >
                {view.name}
              </Link>
              {view.canDelete && (
                <button
                  type="button"
                  className="quiet-button"
                  aria-label={`Delete the view ${view.name}`}
                  onClick={() => void remove({ id: view.id }).then(refresh)}
                >
                  ×
                </button>
              )}
            </div>
          ))}
          {data?.savedViews?.length === 0 && <p className="count">No view is saved yet.</p>}
          <button type="button" className="quiet-button" onClick={() => setNaming(true)}>
            Save this list…
          </button>
        </div>
      </details>
      <Dialog title="Save this list" isOpen={isNaming} onClose={() => setNaming(false)}>
        <form className="dialog-body" onSubmit={(event) => void submit(event)}>
          <label className="field">
            Name
            <input name="name" required maxLength={100} />
          </label>
          <p className="hint">Everybody sees it in this menu, and opens the list with these filters.</p>
          <DialogActions submit="Save" onCancel={() => setNaming(false)} isDisabled={isRunning} />
        </form>
      </Dialog>
    </>
  );

  function addressOf(path: string, query: string): string {
    const parameters = new URLSearchParams(query);
    parameters.delete('after');
    return parameters.size === 0 ? path : `${path}?${parameters}`;
  }
}
