import { type ComponentType, lazy } from 'react';

/** A page whose code is loaded on its first visit. When that fails, only this page shows the error. */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => ({ default: await load().catch((): ComponentType<Props> => CannotBeLoaded) }));
}

/** The server cannot be reached, or it was updated and its files have new names. */
function CannotBeLoaded() {
  return (
    <div className="empty">
      <h1>This page cannot be loaded</h1>
      <p>
        The server may have a new version, or cannot be reached.{' '}
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload
        </button>
      </p>
    </div>
  );
}
