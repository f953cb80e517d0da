import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/settings.js';
import { sweepStorage } from '../coredumps/orphan-sweep.js';
import type { ParseTask } from '../coredumps/parse-task.js';
import { startParsing } from '../coredumps/parsing.js';
import type { SidecarClient } from '../coredumps/sidecar-client.js';
import { forgetDeviceDays } from '../devices/device-days.js';
import type { Installation } from '../installation/installation.js';
import { createScheduler } from '../platform/background/scheduler.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import type { TaskQueue } from '../platform/queue/in-process-queue.js';
import { SCHEDULED_WORK, type ScheduledName } from './background-work.js';
import type { AllServices } from './create-services.js';
import { unlessFull } from './unless-full.js';

interface BackgroundDeps {
  config: Config;
  database: Database;
  blobs: { readonly dumps: BlobStore };
  services: AllServices;
  installation: Installation;
  /** Null without a parser. */
  sidecar: SidecarClient | null;
  retryDelayMs: number;
  /** Takes a sample for the storage forecast. */
  sampleStorage: () => Promise<void>;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
}

/** No upload lasts longer: one that stalls is ended after UPLOAD_STALL_MS, at most one hour. */
const IN_FLIGHT_MS = DAY_MS;
const LAST_WORK_MS = 2_000;
export const FILES_COMPARED = 'files and rows were compared';

export interface Background {
  /** Null without a parser. */
  readonly queue: TaskQueue<ParseTask> | null;
  /** Stops the timers: no scheduled work starts any more. */
  stopSchedule(): void;
  /** Ends running work, and writes what is still buffered. Call it before the database is closed. */
  close(): Promise<void>;
}

/**
 * Reconciles storage and database after a server has ended, in whatever way, continues waiting parses, and starts the
 * work of `background-work.ts`. The regroup job and the runs of changed rules are not started here, but
 * when the server listens.
 *
 * @throws Error or DomainError when storage or database cannot be used; a full disk is logged instead
 */
export async function startBackground(deps: BackgroundDeps): Promise<Background> {
  const { config, database, services, installation, clock, log } = deps;
  const { audit, changes, rawRetention, sessions, state, storageLimit } = services;
  const inFlightSince = () => new Date(clock.now().getTime() - IN_FLIGHT_MS);
  const sweeps = createSweeps(deps);

  // If other servers use the same storage, uploads may be in progress now.
  const leftBefore = database.isShared ? inFlightSince() : undefined;
  await unlessFull(log, sweeps.dumps(leftBefore));
  await unlessFull(log, sweeps.firmwares(leftBefore));
  await unlessFull(log, installation.noteProgress());
  // Leases of other servers stay: if such a server is dead, they expire.
  if (!database.isShared) await unlessFull(log, state.liftLeases());
  const queue = await startQueue(deps, leftBefore);

  // Files that could not be deleted, and uploads of unknown outcome, are cleaned without waiting for the next start.
  const work: Record<ScheduledName, () => Promise<unknown>> = {
    'sweep of dump files': () => sweeps.dumps(inFlightSince()),
    'sweep of firmware files': () => sweeps.firmwares(inFlightSince()),
    'progress note': installation.noteProgress,
    'comparison of all files': () => compareFiles('all'),
    'comparison of missing files': () => compareFiles('lost'),
    'audit retention': () => audit.forget(config.auditDays),
    'device day retention': () => forgetDeviceDays(database.db, clock.now()),
    'change retention': changes.prune,
    'session retention': sessions.forgetEnded,
    'end of ignoring': services.endIgnores,
    'raw retention': rawRetention.sweep,
    'storage limit': storageLimit.sweep,
    'storage forecast': deps.sampleStorage,
    'alert watch': services.alertWatch.look,
  };
  const scheduler = createScheduler(log);
  void once('comparison of all files');
  await once('audit retention');
  await once('device day retention');
  await once('change retention');
  await once('session retention');
  await once('end of ignoring');
  void once('raw retention');
  storageLimit.wake();
  for (const { name, everyMs, failure } of SCHEDULED_WORK) scheduler.every(everyMs, failure, work[name]);

  return {
    queue,
    stopSchedule: scheduler.stop,
    async close() {
      await services.regroup.close();
      await services.ruleRuns.close();
      await services.alertSender.stop();
      await queue?.close();
      await storageLimit.idle();
      await services.tokenUse.write();
      await services.sessions.idle();
      // A database or storage that does not answer must not delay the shutdown. Scheduled work that takes longer fails
      // when the database is closed, and is done again by its next run.
      const last = Promise.all([scheduler.idle(), installation.noteProgress()]);
      await Promise.race([last, pause(LAST_WORK_MS, undefined, { ref: false })]);
    },
  };

  /** Runs scheduled work now. Never rejects: the next scheduled run retries failures. */
  async function once(name: ScheduledName): Promise<void> {
    const { failure } = SCHEDULED_WORK.find((each) => each.name === name) ?? { failure: name };
    await scheduler.now(failure, work[name]);
  }

  /** Records which files are missing and which are present again. */
  async function compareFiles(which: 'all' | 'lost'): Promise<void> {
    const { firmwares, lostDumps, requeue } = services;
    await firmwares.checkElfs(which);
    await lostDumps.check(which);
    if (config.parser !== null) await requeue.forNothingMissing(clock.now(), firmwares.isElfThere);
    log.debug({ which }, FILES_COMPARED);
  }
}

function createSweeps({
  database: { db },
  blobs,
  services,
  installation,
  clock,
  metrics,
  log,
}: BackgroundDeps) {
  return {
    async dumps(before?: Date): Promise<void> {
      const mayPurge = await installation.mayPurge('Coredump');
      await sweepStorage({ db, blobs: blobs.dumps, clock, metrics, log }, { before, mayPurge });
    },
    async firmwares(before?: Date): Promise<void> {
      const mayPurge = await installation.mayPurge('Firmware');
      await services.firmwares.sweep({ before, mayPurge });
    },
  };
}

async function startQueue(
  { config, database, blobs, services, sidecar, retryDelayMs, metrics, log }: BackgroundDeps,
  leftBefore: Date | undefined,
): Promise<TaskQueue<ParseTask> | null> {
  if (config.parser === null || sidecar === null) return null;
  const { events, firmwares, lostDumps, rawRetention, requeue, state } = services;
  return startParsing({
    state,
    jobs: database.jobs,
    blobs: blobs.dumps,
    builds: firmwares,
    lost: lostDumps,
    requeue,
    sidecar,
    events,
    metrics,
    log,
    xferDir: config.parser.xferDir,
    leftBefore,
    onRead: rawRetention.afterReading,
    concurrency: config.parseConcurrency,
    retryDelayMs,
  });
}
