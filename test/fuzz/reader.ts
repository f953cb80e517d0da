/**
 * `npm run fuzz -- [reader] --runs N [--seed S] [--only RUN] [--workers W]`: reads N broken dumps and firmwares. Fails on an
 * error that is no refusal, on a run of more than 2 s of work, on a thread that needs more than 512 MB. What is found is
 * printed with its seed and run, for `--only`.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { readCases, readCorpus } from './corpus.js';
import { createExperiment } from './experiment.js';
import type { Assignment, Finding } from './worker.js';

const MAX_RUN_MS = 2_000;
/** Loading the corpus comes before the first run. */
const MAX_LOAD_MS = 60_000;
const MAX_HEAP_MB = 512;
const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 30_000;

/** tsx does not reach into threads by itself. */
const WITH_TYPESCRIPT = `
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
  });`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});
const [runs, seed, workers] = [values.runs, values.seed, values.workers].map(Number) as [
  number,
  number,
  number,
];
if (![runs, seed, workers].every((value) => Number.isSafeInteger(value) && value > 0)) {
  throw new Error('--runs, --seed and --workers are whole numbers from 1');
}

if (values.only !== undefined) {
  const outcome = createExperiment(readCorpus(), seed)(Number(values.only));
  process.stdout.write(`run ${values.only} of seed ${seed}: ${outcome}\n`);
} else {
  const cases = readCases().length;
  process.stdout.write(
    `fuzz: ${runs} runs, seed ${seed}, ${readCorpus().length - cases} specimens of ours, ${cases} real cases${cases === 0 ? ' (absent)' : ''}\n`,
  );
  const startedAt = performance.now();
  const findings: Finding[] = [];
  const lanes = Array.from({ length: workers }, (_, index) => ({ done: 0, reports: 0, first: index }));
  const ticker = setInterval(tell, TELL_EVERY_MS);
  await Promise.all(lanes.map(drive));
  clearInterval(ticker);
  tell();
  process.exitCode = findings.length > 0 ? 1 : 0;

  /** Works through every `workers`th run; a thread that hangs or dies is replaced after the run that it was in. */
  async function drive(lane: { done: number; reports: number; first: number }): Promise<void> {
    let next = lane.first;
    while (next < runs) next = await runThread(lane, next);
  }

  async function runThread(lane: { done: number; reports: number }, first: number): Promise<number> {
    const board = new SharedArrayBuffer(12);
    const counters = new Int32Array(board);
    counters[0] = -1;
    const assignment: Assignment = { seed, first, last: runs - 1, step: workers, board };
    const thread = new Worker(WITH_TYPESCRIPT, {
      eval: true,
      workerData: assignment,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    let death: string | null = null;
    let hasEnded = false;
    const before = { done: lane.done, reports: lane.reports };
    thread.on('message', found);
    thread.on('error', (error) => {
      death = error.stack ?? error.message;
    });
    thread.on('exit', () => {
      hasEnded = true;
    });

    let current = -1;
    let since = performance.now();
    while (!hasEnded) {
      await sleep(LOOK_EVERY_MS);
      const now = Atomics.load(counters, 0);
      const clock = now < 0 ? performance.now() : await workedMs(Atomics.load(counters, 2));
      if (now !== current) {
        current = now;
        since = clock;
      } else if (clock - since > (current < 0 ? MAX_LOAD_MS : MAX_RUN_MS)) {
        death = `took more than ${current < 0 ? MAX_LOAD_MS : MAX_RUN_MS} ms`;
        await thread.terminate();
      }
      lane.done = before.done + Math.max(0, Math.floor((Math.min(now, runs) - first) / workers));
      lane.reports = before.reports + Atomics.load(counters, 1);
    }
    const reached = Atomics.load(counters, 0);
    if (death === null) {
      lane.done = before.done + Math.ceil((runs - first) / workers);
      return runs;
    }
    if (reached < 0) throw new Error(`the fuzzer's thread did not start: ${death}`);
    found({ run: reached, what: death });
    return reached + workers;
  }

  /** Told at once: a campaign may be broken off. */
  function found(finding: Finding): void {
    findings.push(finding);
    process.stdout.write(`run ${finding.run}: ${finding.what}\n`);
  }

  function tell(): void {
    const done = lanes.reduce((sum, lane) => sum + lane.done, 0);
    const reports = lanes.reduce((sum, lane) => sum + lane.reports, 0);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const rss = Math.round(process.resourceUsage().maxRSS / 1024);
    process.stdout.write(
      `${done} runs in ${seconds} s: ${reports} reports, ${findings.length} findings, peak ${rss} MB (all threads)\n`,
    );
  }
}

/** What a thread has worked so far, where Linux tells, so that a busy machine does not look like a hang; else the clock. */
async function workedMs(thread: number): Promise<number> {
  if (thread === 0) return performance.now();
  try {
    const [nanoseconds] = (await readFile(`/proc/self/task/${thread}/schedstat`, 'utf8')).split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    // It has ended.
    return 0;
  }
}
