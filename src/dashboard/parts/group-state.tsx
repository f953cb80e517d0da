import type { CrashGroupState } from '../generated/graphql';

const LABELS: Record<Exclude<CrashGroupState, 'OPEN'>, string> = { RESOLVED: 'Resolved', IGNORED: 'Ignored' };

/** Open is the normal state: it says nothing about that. */
export function GroupState({ state, isRegression }: { state: CrashGroupState; isRegression: boolean }) {
  if (state === 'OPEN' && !isRegression) return null;
  return (
    <span className="group-state">
      {state !== 'OPEN' && (
        <span className="mark" data-state={state}>
          {LABELS[state]}
        </span>
      )}
      {isRegression && (
        <span className="mark" data-state="REGRESSION">
          Regression
        </span>
      )}
    </span>
  );
}
