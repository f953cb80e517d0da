import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Firmware } from '../firmware/types.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Jobs } from '../platform/database/types.js';
import { prepareTransferFolder } from '../platform/files/transfer-folder.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { createInProcessQueue, type TaskQueue } from '../platform/queue/in-process-queue.js';
import { createSharedQueue } from '../platform/queue/shared-queue.js';
import type { CoredumpEvents } from './events.js';
import type { LostDumps } from './lost-dumps.js';
import { parseKey } from './outbox.js';
import { createParseJob } from './parse-job.js';
import type { ParseState } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import { type BuildFinder, wantedBy } from './prepare-parse.js';
import type { Requeue } from './requeue.js';
import type { SidecarClient } from './sidecar-client.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

interface ParsingDeps {
  state: ParseState;
  /** Given if several servers share the work; null if this server is alone with its database. */
  jobs: Jobs | null;
  blobs: BlobStore;
  builds: BuildFinder & { isElfThere(firmware: Firmware): Promise<boolean> };
  lost: Pick<LostDumps, 'note' | 'isThere'>;
  requeue: Pick<Requeue, 'reset'>;
  sidecar: SidecarClient;
  events: CoredumpEvents;
  metrics: Metrics;
  log: Logger;
  xferDir: string;
  /** Given if other servers use the folder too: files of attempts that began before this time may be removed. */
  leftBefore?: Date | undefined;
  /** Called when a dump was parsed, after its event was published. */
  onRead: (coredump: CoredumpRow) => Promise<void>;
  concurrency: number;
  retryDelayMs: number;
}

const REMEMBERED = 1_000;

/** Starts the parse queue with its job: it continues with the dumps of earlier runs, then takes new ones. */
export async function startParsing(deps: ParsingDeps): Promise<TaskQueue<ParseTask>> {
  const { state, jobs, builds, lost, requeue, events, metrics, log } = deps;
  const { xferDir, leftBefore, onRead, concurrency } = deps;
  await emptyTransferFolder(xferDir, leftBefore);
  const parse = createParseJob(deps);
  /** The generation of dumps that were retried once. */
  const triedAgain = new LRUCache<number, number>({ max: REMEMBERED });

  const work = {
    concurrency,
    keyOf: ({ coredumpId, generation }: ParseTask) =>
      parseKey({ id: coredumpId, parseGeneration: generation }),
    refill: (take: number) => state.waiting(take),
    log,
    async run(task: ParseTask, stop: AbortSignal) {
      const end = metrics.parseSeconds.startTimer();
      const outcome = await parse(task, stop);
      if (outcome.status !== 'finished') return;
      end();
      const { coredump, errorKind } = outcome;
      metrics.parses.inc({ status: errorKind === null ? 'success' : 'error' });
      if (errorKind !== null) metrics.parseErrors.inc({ kind: errorKind });
      log.info({ coredumpId: coredump.id, status: coredump.parseStatus, errorKind }, 'core dump parsed');
      events.publish(coredump);
      if (errorKind === null) await onRead(coredump);
      if (coredump.parseStatus === 'ERROR') await retryIfArrived(task, coredump, errorKind);
    },
  };
  const queue =
    jobs === null
      ? createInProcessQueue<ParseTask>(work)
      : createSharedQueue<ParseTask>({
          ...work,
          jobs,
          tasksOf: (keys) => state.tasksOf(keys.map((key) => Number.parseInt(key, 10))),
        });
  return queue;

  /**
   * A missing build or file may have arrived after the job looked for it and before the result was committed: its
   * arrival did not find this dump among the waiting ones. Retried once only: a storage that has a file at one look and
   * not at the next must not cause endless work.
   */
  async function retryIfArrived(task: ParseTask, coredump: CoredumpRow, errorKind: ParseErrorKind | null) {
    if (triedAgain.get(task.coredumpId) === task.generation) return;
    if (!(await hasArrivedMeanwhile(task, coredump, errorKind))) return;
    const [again] = await requeue.reset({ id: task.coredumpId, parseGeneration: task.generation });
    if (again !== undefined) triedAgain.set(again.id, again.parseGeneration);
  }

  async function hasArrivedMeanwhile(
    task: ParseTask,
    coredump: CoredumpRow,
    errorKind: ParseErrorKind | null,
  ): Promise<boolean> {
    if (errorKind === 'lost_coredump') return lost.isThere(task.coredumpId);
    if (errorKind !== 'missing_firmware' && errorKind !== 'lost_firmware') return false;
    const { firmware } = await builds.findBuild(
      wantedBy({ ...task, firmwareVersion: coredump.firmwareVersion }, coredump),
    );
    return firmware !== null && (errorKind === 'missing_firmware' || builds.isElfThere(firmware));
  }
}

/** Removes files of attempts that were running when an earlier server died. The folder may hold other files too. */
async function emptyTransferFolder(xferDir: string, before?: Date): Promise<void> {
  await prepareTransferFolder(xferDir, 'PARSE_SIDECAR_XFER_DIR');
  const left = (await readdir(xferDir)).filter((name) => /^coredock-[\w-]+\.(dmp|elf)$/.test(name));
  await Promise.allSettled(
    left.map(async (name) => {
      const path = join(xferDir, name);
      if (before !== undefined && (await stat(path)).mtime >= before) return;
      await rm(path, { force: true });
    }),
  );
}
