import type { FoundCrash } from './found-crash.js';
import type { Line } from './lines.js';

/** "I (12345) wifi: …" */
const LOG_TIME = /^[EWIDV] \((\d{1,10})\) /;
const TASK_NAME = /^[^\s:()[\]][^:()[\]]{0,15}$/;
const MOST_SEARCHED_LINES = 64;
const MOST_TASKS = 16;

/**
 * `esp_backtrace_print` prints like a panic, and the application runs on: its log goes on without a boot. And
 * `esp_backtrace_print_all_tasks` prints all tasks, each behind its name.
 */
export function withoutListsAndRequests(found: readonly FoundCrash[], lines: readonly Line[]): FoundCrash[] {
  return withoutLists(found, lines).map((crash) =>
    crash.shape === 'addresses' && ranOn(crash, lines) ? { ...crash, isCrash: false } : crash,
  );
}

function withoutLists(found: readonly FoundCrash[], lines: readonly Line[]): FoundCrash[] {
  const result: FoundCrash[] = [];
  for (const crash of found) {
    const before = result.at(-1);
    const name = taskBefore(crash, lines);
    const previous = before === undefined ? null : taskBefore(before, lines);
    const isNext = before !== undefined && crash.first - before.last === 2;
    if (name === null || previous === null || before === undefined || !isNext) {
      result.push(crash);
      continue;
    }
    const first =
      before.cores.length === 1 ? before.cores.map((core) => ({ ...core, task: previous })) : before.cores;
    const next = crash.cores.map((core) => ({ ...core, task: name }));
    result[result.length - 1] = {
      ...before,
      cores: [...first, ...next].slice(0, MOST_TASKS),
      isCrash: false,
      last: crash.last,
    };
  }
  return result;
}

/** The task that a backtrace alone has in the line before it; null for other crashes. */
function taskBefore({ shape, first }: FoundCrash, lines: readonly Line[]): string | null {
  if (shape !== 'addresses') return null;
  const line = lines[first - 1];
  return line !== undefined && line.tag === null && TASK_NAME.test(line.body) ? line.body : null;
}

function ranOn({ first, last }: FoundCrash, lines: readonly Line[]): boolean {
  const before = logTime(lines.slice(Math.max(0, first - MOST_SEARCHED_LINES), first).reverse());
  const after = logTime(lines.slice(last + 1, last + 1 + MOST_SEARCHED_LINES));
  return before !== null && after !== null && after >= before;
}

/** Null when the lines have none, or a boot before it. */
function logTime(lines: readonly Line[]): number | null {
  for (const { text, body } of lines) {
    if (/^Rebooting|^ESP-ROM:|\brst:0x/.test(body)) return null;
    const time = LOG_TIME.exec(text)?.[1];
    if (time !== undefined) return Number(time);
  }
  return null;
}
