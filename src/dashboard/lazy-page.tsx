import { type ComponentType, lazy } from 'react';

const soon: Array<() => Promise<unknown>> = [];

/** A page whose code is loaded on its first visit. When that fails, only this page shows the error. */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => ({ default: await load().catch((): ComponentType<Props> => CannotBeLoaded) }));
}

/** The same for a page that most visits lead to: `loadSoon` has loaded it before it is opened. */
export function soonPage<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  soon.push(load);
  return lazyPage(load);
}

const AFTER_MS = 1_500;

/**
 * Loads those pages some time after the start, when the first view is usually there. One that cannot be loaded is asked
 * for again when it is opened.
 *
 * @returns ends the wait
 */
export function loadSoon(): () => void {
  const timer = setTimeout(() => {
    for (const load of soon) load().catch(() => {});
  }, AFTER_MS);
  return () => clearTimeout(timer);
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
