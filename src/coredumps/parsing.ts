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
import { type BuildFinder, createParseJob } from './parse-job.js';
import type { ParseState } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import type { Requeue } from './requeue.js';
import type { SidecarClient } from './sidecar-client.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

interface ParsingDeps {
  state: ParseState;
  /** Where several servers share the work; null: this one has its dumps for itself. */
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
  /** Where other servers use the folder too: files of attempts that began before that may be removed. */
  leftBefore?: Date | undefined;
  /** Called when a dump was read, after subscribers have got it. */
  onRead: (coredump: CoredumpRow) => Promise<void>;
  concurrency: number;
  retryDelayMs: number;
}

const REMEMBERED = 1_000;

/** The parse queue with its job: takes up what earlier runs left, then whatever is added. */
export async function startParsing(deps: ParsingDeps): Promise<TaskQueue<ParseTask>> {
  const { state, jobs, builds, lost, requeue, events, metrics, log } = deps;
  const { xferDir, leftBefore, onRead, concurrency } = deps;
  await emptyTransferFolder(xferDir, leftBefore);
  const parse = createParseJob(deps);
  /** The generation that such dumps have got. */
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
      if (coredump.parseStatus === 'ERROR') await tryAgainIfItCame(task, coredump, errorKind);
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
   * What the dump was seen to lack may have come after the job looked for it and before that was committed: whoever
   * brought it did not find this dump among those that wait. Once: a storage that has a file at one look and not at the
   * next must not cause endless work.
   */
  async function tryAgainIfItCame(task: ParseTask, coredump: CoredumpRow, errorKind: ParseErrorKind | null) {
    if (triedAgain.get(task.coredumpId) === task.generation) return;
    if (!(await cameMeanwhile(task, coredump, errorKind))) return;
    const [again] = await requeue.reset({ id: task.coredumpId, parseGeneration: task.generation });
    if (again !== undefined) triedAgain.set(again.id, again.parseGeneration);
  }

  async function cameMeanwhile(
    task: ParseTask,
    { appElfSha256 }: CoredumpRow,
    errorKind: ParseErrorKind | null,
  ): Promise<boolean> {
    if (errorKind === 'lost_coredump') return lost.isThere(task.coredumpId);
    if (errorKind !== 'missing_firmware' && errorKind !== 'lost_firmware') return false;
    const { firmware } = await builds.findBuild({
      modelId: task.modelId,
      version: task.firmwareVersion,
      appElfSha256,
    });
    return firmware !== null && (errorKind === 'missing_firmware' || builds.isElfThere(firmware));
  }
}

/** Files of attempts that were running when an earlier server died. The folder may hold other files too. */
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
