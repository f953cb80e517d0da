/**
 * `npm run fuzz -- texts --runs N [--seed S] [--only RUN]`: reads N broken texts about crashes. Fails on any error, on an
 * answer that has what its text has not, and on a run of more than 2 s of work. What is found is printed with its seed and
 * run, for `--only`.
 */
import { parseArgs } from 'node:util';
import { createTextExperiment } from './text-experiment.js';

const MAX_RUN_MS = 2_000;
const TELL_EVERY = 50_000;
const MOST_FINDINGS = 20;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [runs, seed] = [values.runs, values.seed].map(Number) as [number, number];
if (![runs, seed].every((value) => Number.isSafeInteger(value) && value > 0))
  throw new Error('--runs and --seed are whole numbers from 1');

const run = createTextExperiment(seed);
if (values.only !== undefined) {
  process.stdout.write(`run ${values.only} of seed ${seed}: ${run(Number(values.only))}\n`);
} else {
  let [crashes, findings, slowest] = [0, 0, 0];
  for (let number = 0; number < runs && findings < MOST_FINDINGS; number++) {
    const before = performance.now();
    try {
      if (run(number) === 'crash') crashes += 1;
    } catch (error) {
      findings += 1;
      process.stdout.write(
        `run ${number}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    }
    const workMs = performance.now() - before > MAX_RUN_MS / 8 ? workOf(number) : 0;
    slowest = Math.max(slowest, workMs);
    if (workMs > MAX_RUN_MS) {
      findings += 1;
      process.stdout.write(`run ${number}: took ${Math.round(workMs)} ms\n`);
    }
    if ((number + 1) % TELL_EVERY === 0) tell(number + 1);
  }
  tell(runs);
  process.exitCode = findings > 0 ? 1 : 0;

  /** Work, not time: a busy machine must not look like a hang. Asking for it costs more than a run. */
  function workOf(number: number): number {
    const before = process.cpuUsage().user;
    try {
      run(number);
    } catch {
      // It was told before.
    }
    return (process.cpuUsage().user - before) / 1000;
  }

  function tell(done: number): void {
    const rss = Math.round(process.resourceUsage().maxRSS / 1024);
    process.stdout.write(
      `${done} runs: ${crashes} crashes, ${findings} findings, slowest of the slow ${Math.round(slowest)} ms of work, peak ${rss} MB\n`,
    );
  }
}
