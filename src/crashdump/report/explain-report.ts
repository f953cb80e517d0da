import type { SourceFrame } from '../firmware/firmware-image.js';
import type { CrashReport } from '../report.js';
import { mayName } from './culprit.js';
import { explain } from './explanation.js';
import { causeOfAbort } from './kind-by-frames.js';

export interface Explained
  extends Pick<CrashReport, 'kind' | 'reason' | 'watchdogTasks' | 'culprit' | 'tasks' | 'usesElf'> {
  /** That the faulting instruction accessed. */
  address: number | null;
}

/** The reason of a report in one plain sentence. @param firstFault the place of the first of two exceptions */
export function explainReport(report: Explained, firstFault: SourceFrame | null): string | null {
  const { kind, reason: text, watchdogTasks, address, culprit, tasks } = report;
  const crashed = tasks.find((task) => task.crashed);
  const frames = mayName(report) ? (crashed?.frames ?? []) : [];
  return explain({
    kind,
    reason: { text, address, watchdogTasks },
    culprit,
    taskName: (crashed ?? tasks[0])?.name ?? null,
    stackIsBroken: crashed?.stackCorrupted ?? false,
    isUnnamed: frames[0]?.function == null,
    innermost: frames.find((frame) => frame.function !== null)?.function ?? null,
    causeOfAbort: causeOfAbort(frames),
    firstFault,
  });
}
