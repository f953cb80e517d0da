/*
 * What runs in the background? Everything that a server does by itself, without a request, is an entry of a list below:
 *
 * - `SCHEDULED_WORK`: on a timer (sweeps of files, retention, storage limit);
 * - `LOOPS`: on events and by polling (parse queue, regroup job, alert sender, threads and child processes);
 * - `WATCHES`: as long as a connection lives (slow uploads, slow readers, pings).
 *
 * Each entry says what it does, when, what starts it again after a failure, and which lease prevents that two servers do
 * it at once. `start-background.ts` starts the work. A test finds timers and threads in the sources that are not listed.
 */

import { DAY_MS, HOUR_MS } from '../platform/durations.js';

/** One kind of work. */
export interface BackgroundWork {
  readonly name: string;
  readonly does: string;
  /** How often, or what makes it run. */
  readonly when: string;
  /** What starts it again after it failed, or after its server died. */
  readonly restartedBy: string;
  /** What prevents two servers on one database from doing it at the same time; null where that is harmless. */
  readonly lease: string | null;
  /** Files below `src/` with its timer, loop or thread. */
  readonly files: readonly string[];
}

interface ScheduledWork extends BackgroundWork {
  readonly everyMs: number;
  /** Log message for a failure. */
  readonly failure: string;
}

const MINUTE_MS = 60_000;
const COMPARISON_FAILED = 'rows and files could not be compared';
const NEXT_RUN = 'the next run, and the next start of a server';
/** The loop of all work that polls. */
const WORKER = 'platform/background/worker.ts';
const SCHEDULER = ['platform/background/scheduler.ts'];

/** Work on a timer, from the start of the server on. All but the forecast and the alert watch also run once at the start. */
export const SCHEDULED_WORK = [
  {
    name: 'sweep of dump files',
    does: 'removes unfinished uploads, brings back files that have a row, sets aside files without a row and removes them 7 days later',
    when: 'every day',
    everyMs: DAY_MS,
    failure: 'the storage could not be swept',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'sweep of firmware files',
    does: 'does the same for the ELFs of builds',
    when: 'every day',
    everyMs: DAY_MS,
    failure: 'the storage could not be swept',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'progress note',
    does: 'writes the highest ids of the database into the storage, so that a later start detects an older database',
    when: 'every 10 minutes, and at the end',
    everyMs: 10 * MINUTE_MS,
    failure: 'the state of the database could not be noted',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'comparison of all files',
    does: 'compares all rows with their files, records which files are missing or present again, and queues the dumps for which nothing is missing any more',
    when: 'every day',
    everyMs: DAY_MS,
    failure: COMPARISON_FAILED,
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'comparison of missing files',
    does: 'does the same for the files that are recorded as missing',
    when: 'every hour',
    everyMs: HOUR_MS,
    failure: COMPARISON_FAILED,
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'audit retention',
    does: 'removes audit events that are older than AUDIT_DAYS',
    when: 'every day',
    everyMs: DAY_MS,
    failure: 'old audit events could not be removed',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'device day retention',
    does: 'removes the days of devices that are older than 180 days, by which releases are compared',
    when: 'every day',
    everyMs: DAY_MS,
    failure: 'old days of devices could not be removed',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'change retention',
    does: 'removes changes of the change feed that are older than 24 hours, and all but the newest 200,000',
    when: 'every 10 minutes',
    everyMs: 10 * MINUTE_MS,
    failure: 'old changes could not be removed',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'session retention',
    does: 'removes the sessions of browsers that have ended',
    when: 'every hour',
    everyMs: HOUR_MS,
    failure: 'ended sessions could not be removed',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'end of ignoring',
    does: 'opens crash groups that were ignored until a time that has come',
    when: 'every minute',
    everyMs: MINUTE_MS,
    failure: 'ignored groups could not be opened',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'raw retention',
    does: "removes raw bytes as their model's privacy settings require",
    when: 'every hour, after each parse, and after a change of the settings',
    everyMs: HOUR_MS,
    failure: 'raw dumps could not be swept',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'storage limit',
    does: 'adds up the stored bytes, and removes the oldest raw bytes beyond MAX_STORAGE_BYTES',
    when: 'every minute, and after each upload',
    everyMs: MINUTE_MS,
    failure: 'stored bytes could not be counted',
    restartedBy: NEXT_RUN,
    lease: 'one server at a time (Database.runExclusive)',
    files: SCHEDULER,
  },
  {
    name: 'storage forecast',
    does: 'samples used and free bytes, for the metric that estimates when the storage is full',
    when: 'every minute',
    everyMs: MINUTE_MS,
    failure: 'the use of the storage could not be read',
    restartedBy: NEXT_RUN,
    lease: null,
    files: SCHEDULER,
  },
  {
    name: 'alert watch',
    does: 'writes alerts about dumps that wait for a build, and about a storage that is nearly full',
    when: 'every minute',
    everyMs: MINUTE_MS,
    failure: 'it could not be checked whether there is something to alert about',
    restartedBy: NEXT_RUN,
    lease: 'a row of AlertTold: each rule is told once',
    files: SCHEDULER,
  },
] as const satisfies readonly ScheduledWork[];

export type ScheduledName = (typeof SCHEDULED_WORK)[number]['name'];

/** Work that waits for events, and polls for forgotten work from time to time. */
const LOOPS: readonly BackgroundWork[] = [
  {
    name: 'parse queue',
    does: 'parses dumps that are PENDING',
    when: 'after each upload and re-parse; polls for forgotten dumps every 15 seconds',
    restartedBy: 'any server, when it polls after the lease has expired',
    lease: 'Coredump.leaseOwner and leaseUntil: one attempt and 30 seconds',
    files: ['platform/queue/in-process-queue.ts', 'platform/queue/shared-queue.ts', WORKER],
  },
  {
    name: 'regroup job',
    does: 'gives stored reports their new fingerprint and group after the recipe has changed',
    when: 'at the start, and when an admin asks; polls every minute',
    restartedBy:
      'any server, when it polls after the lease has expired: it continues after the last finished dump',
    lease: 'RegroupRun.leaseOwner and leaseUntil: one minute',
    files: ['crash-groups/regroup-job.ts', WORKER],
  },
  {
    name: 'runs of changed rules',
    does: 'apply changed rules about own code to the stored dumps of their model, and changed tag rules to all groups',
    when: 'at the start, and after a change of rules; polls every minute',
    restartedBy:
      'any server, when it polls after the lease has expired: it continues after the last finished batch',
    lease: 'RegroupRun.leaseOwner and leaseUntil: one minute',
    files: ['crash-groups/rule-runs.ts', WORKER],
  },
  {
    name: 'alert sender',
    does: 'sends the alerts of the outbox, makes digests of those that were held, and removes old deliveries',
    when: 'after each alert; polls every 5 seconds',
    restartedBy: 'any server, when it polls after the delivery is due again',
    lease: 'AlertDelivery.dueAt is postponed while an attempt runs: one minute',
    files: ['alerts/sender.ts', WORKER],
  },
  {
    name: 'token use writer',
    does: 'writes when devices last used their tokens',
    when: '5 seconds after the first use, and at the end',
    restartedBy: 'the next use; a server that dies loses the last seconds',
    lease: null,
    files: ['devices/token-use.ts'],
  },
  {
    name: 'announcements',
    does: 'receives from other servers on the PostgreSQL database which dumps and groups have changed',
    when: 'all the time, with a heartbeat every 10 seconds',
    restartedBy: 'itself, with growing pauses; it reads the changes that it missed',
    lease: null,
    files: ['platform/database/postgresql/announcements.ts'],
  },
  {
    name: 'change feed',
    does: 'reads what was added, changed and deleted, for the subscribers of this server',
    when: 'after each change; polls every second; only while there are subscribers',
    restartedBy: 'the next poll, and the next subscription',
    lease: null,
    files: ['changes/feed.ts'],
  },
  {
    name: 'job queue maintenance',
    does: 'removes finished and expired jobs of the queue that servers share (pg-boss)',
    when: 'by the schedule of pg-boss, with PostgreSQL',
    restartedBy: 'pg-boss, in any server',
    lease: 'the lock of pg-boss',
    files: ['platform/database/postgresql/jobs.ts'],
  },
  {
    name: 'database guard',
    does: 'checks that the file of the SQLite database still exists and has free space',
    when: 'every second, with SQLite',
    restartedBy: 'the next check',
    lease: null,
    files: ['platform/database/sqlite/guard.ts'],
  },
  {
    name: 'sidecar supervision',
    does: 'runs the bundled sidecar as a child process, and restarts it when it ends',
    when: 'all the time, unless the settings name a sidecar',
    restartedBy: 'the supervisor, after a pause that doubles with each failure in a row',
    lease: null,
    files: ['sidecar/supervisor.ts', 'sidecar/sidecar-process.ts'],
  },
  {
    name: 'notifications of systemd',
    does: 'tell systemd whether the server is ready, what it lacks, and that its event loop turns',
    when: 'every second until the server is ready, then every 30 seconds; the watchdog three times in WatchdogSec; only in a service with Type=notify',
    restartedBy: 'systemd restarts a server that was silent for WatchdogSec',
    lease: null,
    files: ['compose/report-state.ts', 'platform/service-manager.ts'],
  },
  {
    name: 'parse threads of the sidecar',
    does: 'read one dump at a time each, in the process of the sidecar',
    when: 'with the first parse',
    restartedBy: 'the next parse',
    lease: null,
    files: ['sidecar/parse-pool.ts'],
  },
  {
    name: 'publish thread',
    does: 'makes uploaded files durable (fsync) and gives them their final names',
    when: 'with the first upload; ends after 10 seconds without one',
    restartedBy: 'the next upload',
    lease: null,
    files: ['platform/blobs/files/publish-thread.ts'],
  },
  {
    name: 'query thread',
    does: 'runs GraphQL queries',
    when: 'with the first query; ends after 10 minutes without one',
    restartedBy: 'the next query; the queries of a thread that died fail',
    lease: null,
    files: ['graphql/server/query-thread.ts'],
  },
];

/** Work that lives as long as a connection. */
const WATCHES: readonly BackgroundWork[] = [
  {
    name: 'watch of slow uploads',
    does: 'ends uploads that receive too few bytes (UPLOAD_STALL_MS)',
    when: 'while an upload is received',
    restartedBy: 'nothing: the device sends the dump again',
    lease: null,
    files: ['http/body.ts'],
  },
  {
    name: 'watch of slow bodies',
    does: 'closes connections whose request body arrives too slowly',
    when: 'every few seconds while the server listens',
    restartedBy: 'the next check',
    lease: null,
    files: ['http/connection-limits.ts'],
  },
  {
    name: 'watch of slow readers',
    does: 'closes connections whose client does not read the answer (ANSWER_STALL_MS)',
    when: 'while the server listens',
    restartedBy: 'the next check',
    lease: null,
    files: ['http/slow-readers.ts'],
  },
  {
    name: 'watch of sessions',
    does: 'renews the sessions of open connections before their tokens end, and closes the connections of those that were signed out',
    when: 'every 5 seconds while such a connection is open, and before its token ends',
    restartedBy: 'nothing: the client connects again',
    lease: 'Session.renewalUntil: 20 seconds',
    files: ['sessions/held.ts'],
  },
  {
    name: 'pings of event streams',
    does: 'sends a comment on idle SSE streams, so that no proxy closes them',
    when: 'while a stream is open',
    restartedBy: 'nothing: the client subscribes again',
    lease: null,
    files: ['graphql/server/sse.ts'],
  },
];

/** All work, in the order of the table in ARCHITECTURE.md. */
export const BACKGROUND_WORK: readonly BackgroundWork[] = [...SCHEDULED_WORK, ...LOOPS, ...WATCHES];
