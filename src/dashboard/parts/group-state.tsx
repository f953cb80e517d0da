import type { CrashGroupState } from '../generated/graphql';

const LABELS: Record<CrashGroupState, string> = { OPEN: 'Open', RESOLVED: 'Resolved', IGNORED: 'Ignored' };

export function GroupState({ state, isRegression }: { state: CrashGroupState; isRegression: boolean }) {
  return (
    <span className="group-state">
      <span className="mark" data-state={state}>
        {LABELS[state]}
      </span>
      {isRegression && (
        <span className="mark" data-state="REGRESSION">
          Regression
        </span>
      )}
    </span>
  );
}
