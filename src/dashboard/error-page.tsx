import { Component, type ReactNode } from 'react';
import { useLocation } from 'wouter';

/**
 * Keeps a failure of one page on that page: the frame around it, and every other address, still work. The texts that
 * people send to whoever looks after the server are the error's own.
 */
export function PageBoundary({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  return <ErrorBoundary key={location}>{children}</ErrorBoundary>;
}

/** Shows what went wrong instead of an empty window. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error === null ? this.props.children : <CannotBeShown error={error} />;
  }
}

function CannotBeShown({ error }: { error: unknown }) {
  return (
    <div className="empty" role="alert">
      <h1>This page cannot be shown</h1>
      <p>
        The fault is in the page, and nothing is lost.{' '}
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload
        </button>
      </p>
      <p className="mono">{error instanceof Error ? error.message : String(error)}</p>
    </div>
  );
}
