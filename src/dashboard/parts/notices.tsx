import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { messageOf } from '../api/messages';

export function ErrorNotice({ error }: { error: CombinedError }) {
  return (
    <p className="notice" data-tone="danger" role="alert">
      {messageOf(error)}
    </p>
  );
}

export function Loading() {
  return (
    <p className="loading" role="status">
      Loading…
    </p>
  );
}

/** An empty list, with advice for filling it. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
