import { useState } from 'react';
import type { TaskOnPageFragment } from '../../generated/graphql';
import { countText } from '../../parts/sizes';
import { Backtrace } from './backtrace';
import { StackMeter } from './stack-meter';

/** What the rest of the system did at that moment: a line for each task, its backtrace on demand. */
export function OtherTasks({ tasks }: { tasks: readonly TaskOnPageFragment[] }) {
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
        // Its own key for each: a click on "all" opens also what was closed by hand.
        <details key={`${task.tcb} ${areAllOpen}`} className="task" open={areAllOpen}>
          <summary data-row>
            <span className="task-name">{task.name}</span>
            <span className="task-state">
              {task.state ?? 'state unknown'}
              {task.waitingFor != null && `, waits for ${task.waitingFor}`}
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
        </details>
      ))}
    </section>
  );
}
