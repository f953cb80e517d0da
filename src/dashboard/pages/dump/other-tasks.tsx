import { type ReactNode, useState } from 'react';
import type { TaskOnPageFragment } from '../../generated/graphql';
import { countText } from '../../parts/sizes';
import { Backtrace } from './backtrace';
import { StackMeter } from './stack-meter';

/** The state of all other tasks at the crash: one line each, with a backtrace on demand. */
export function OtherTasks({
  tasks,
  registersOf,
}: {
  tasks: readonly TaskOnPageFragment[];
  /** Shows the registers of a task; left out where they cannot be read: of a shared crash. */
  registersOf?: (task: TaskOnPageFragment) => ReactNode;
}) {
  const [areAllOpen, setAllOpen] = useState(false);
  return (
    <section className="card" aria-labelledby="other-tasks">
      <header className="card-head">
        <h2 id="other-tasks">{countText(tasks.length, 'other task')}</h2>
        <button type="button" className="quiet-button" onClick={() => setAllOpen(!areAllOpen)}>
          {areAllOpen ? 'Fold all' : 'Unfold all'}
        </button>
      </header>
      {tasks.map((task) => (
        // The key changes with each click on "all", so that it also opens tasks that were closed one by one.
        <details
          key={`${task.tcb} ${task.name} ${task.core} ${areAllOpen}`}
          className="task"
          open={areAllOpen}
        >
          <summary data-row>
            <span className="task-name">{task.name || 'unnamed'}</span>
            <span className="task-state">
              {task.state?.toLowerCase() ?? 'state unknown'}
              {task.waitingFor != null && `, waits for ${task.waitingFor}`}
              {coreText(task)}
            </span>
            {task.priority != null && (
              <span className="task-priority" title="Priority, and its own when it has inherited another">
                prio {task.priority}
                {task.basePriority != null &&
                  task.basePriority !== task.priority &&
                  ` (${task.basePriority})`}
              </span>
            )}
            <StackMeter task={task} />
          </summary>
          <Backtrace task={task} />
          {!task.stackCorrupted && registersOf?.(task)}
        </details>
      ))}
    </section>
  );
}

/** The core on which it ran, or to which it is pinned. */
function coreText({ core, coreAffinity }: TaskOnPageFragment): string {
  if (core != null) return `, on core ${core}`;
  return coreAffinity == null ? '' : `, pinned to core ${coreAffinity}`;
}
