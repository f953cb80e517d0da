import type { TaskOnPageFragment } from '../../generated/graphql';

/** From this share on the stack is shown as nearly full. */
const NEARLY_FULL = 0.85;

/** A task's stack usage, as a bar and in bytes. */
export function StackMeter({ task }: { task: TaskOnPageFragment }) {
  const { stackUsed, stackFree, stackNeverUsed } = task;
  if (stackUsed == null || stackFree == null) return null;
  const size = stackUsed + stackFree;
  const share = size === 0 ? 0 : stackUsed / size;
  const everUsed = stackNeverUsed == null ? null : size - stackNeverUsed;
  const tone = task.stackOverflow != null || share > 1 ? 'danger' : share > NEARLY_FULL ? 'warn' : undefined;
  return (
    <span
      className="stack-meter"
      title={`${stackUsed} of ${size} bytes of stack in use${everUsed === null ? '' : `, ${everUsed} at most so far`}`}
    >
      <span className="stack-bar" data-tone={tone} aria-hidden="true">
        <span style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
      <span className="stack-text">
        {stackUsed.toLocaleString('en')} / {size.toLocaleString('en')} B
      </span>
    </span>
  );
}
