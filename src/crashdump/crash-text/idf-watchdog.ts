import { clean } from './found-crash.js';
import type { IdfDraft } from './idf-draft.js';
import type { Line } from './lines.js';

/** ESP-IDF's task_wdt.c. */
const TITLE = /^Task watchdog got triggered\. /;
const UNFED_TASK = /^(?:- )?(\S.{0,40}? \(CPU [0-9/]{1,3}\))$/;
const UNFED_USER = /^- (\S.{0,40})$/;
const RUNNING_TASK = /^CPU (\d): (\S.{0,32})$/;
const MOST_TASKS = 64;

export function isWatchdog(body: string): boolean {
  return TITLE.test(body);
}

/** Reads a line below the title. @returns whether it is of the watchdog */
export function readWatchdogLine(draft: IdfDraft, { body, tag }: Line): boolean {
  if (body === 'Aborting.') {
    draft.isAborting = true;
    return true;
  }
  // The lists stand before backtraces.
  if (draft.hasEvidence) return false;
  const running = RUNNING_TASK.exec(body);
  const unfed = (UNFED_TASK.exec(body) ?? (tag === 'task_wdt' ? UNFED_USER.exec(body) : null))?.[1];
  if (running) draft.runningTasks.set(Number(running[1]), clean(running[2] ?? ''));
  else if (unfed === undefined) return body.startsWith('Tasks currently running');
  else if (draft.watchdogTasks.length < MOST_TASKS) draft.watchdogTasks.push(clean(unfed));
  return true;
}
