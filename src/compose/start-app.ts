import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeAlerts, writeSpikesOfGroup } from '../alerts/outbox.js';
import { createAlertSender } from '../alerts/sender.js';
import { createAlertService } from '../alerts/service.js';
import { createAudit } from '../audit/service.js';
import { createGuesses } from '../auth/attempt-limiter.js';
import { createAuthenticator } from '../auth/authenticator.js';
import { createDownloadLinks } from '../auth/download-links.js';
import { createGatekeeper } from '../auth/gatekeeper.js';
import { readSecret } from '../auth/secrets.js';
import type { Config } from '../config/settings.js';
import { createCoredumpEvents, followerOfDumps } from '../coredumps/events.js';
import { createLostDumps } from '../coredumps/lost-dumps.js';
import { sweepStorage } from '../coredumps/orphan-sweep.js';
import { createOutbox } from '../coredumps/outbox.js';
import { createParseState, type ParseTask } from '../coredumps/parse-state.js';
import { startParsing } from '../coredumps/parsing.js';
import { createRawRetention } from '../coredumps/raw-retention.js';
import { createRequeue } from '../coredumps/requeue.js';
import { createCoredumpService } from '../coredumps/service.js';
import { createSidecarClient } from '../coredumps/sidecar-client.js';
import { createStorageLimit } from '../coredumps/storage-limit.js';
import { tellStorage } from '../coredumps/storage-metrics.js';
import { createGroupEvents } from '../crash-groups/events.js';
import { countAndAnnounce, countForFleet } from '../crash-groups/record-crash.js';
import { createRegroupJob } from '../crash-groups/regroup-job.js';
import { createCrashGroupService } from '../crash-groups/service.js';
import type { GroupAlerts, GroupChange } from '../crash-groups/types.js';
import { countUnread } from '../crash-groups/unread.js';
import { createPrivacyService } from '../devices/privacy.js';
import { createDeviceService } from '../devices/service.js';
import { createTokenUse } from '../devices/token-use.js';
import { DomainError } from '../errors.js';
import { createFirmwareService } from '../firmware/service.js';
import { createAnswerBudget } from '../graphql/limits/answer-budget.js';
import { createBytesInFlight, MAIN_THREAD, sharedBytes } from '../graphql/limits/bytes-in-flight.js';
import { readPersistedDocuments } from '../graphql/server/persisted-documents.js';
import { createQueryThread } from '../graphql/server/query-thread.js';
import { createStreams } from '../graphql/server/stream-limits.js';
import { createGraphQLServer } from '../graphql/server/yoga.js';
import { createCrossOrigin } from '../http/cors.js';
import { createPageRoute } from '../http/dashboard-assets.js';
import { createPageConfigRoute } from '../http/dashboard-config.js';
import { createDownloadRoute } from '../http/download.js';
import { createHealthRoutes } from '../http/health.js';
import { type HttpServer, listen } from '../http/server.js';
import { createUploadRoute } from '../http/upload.js';
import { createUploadLimits } from '../http/upload-limits.js';
import { assertSeparateFolders } from '../installation/separate-folders.js';
import { openInstallation } from '../installation/installation.js';
import { namedStores } from '../installation/stores.js';
import { createChores } from '../platform/background/scheduler.js';
import { openBlobStores } from '../platform/blobs/open-blob-stores.js';
import { type Clock, createSystemClock } from '../platform/clock.js';
import { asDomainError } from '../platform/database/errors.js';
import { openDatabase } from '../platform/database/open-database.js';
import { createEventChannel } from '../platform/event-channel.js';
import { createAllowedHosts } from '../platform/http/allowed-hosts.js';
import { createClientAddress } from '../platform/http/client-address.js';
import type { Logger } from '../platform/logger.js';
import { createMetrics } from '../platform/metrics.js';
import type { TaskQueue } from '../platform/queue/in-process-queue.js';
import { createRightOfWay } from '../platform/right-of-way.js';
import { createSearch } from '../search/service.js';

export interface App {
  readonly url: string;
  /** Stops gracefully: uploads in flight finish, parses are handed back, everything is closed. */
  close(): Promise<void>;
}

/** Longer than one attempt's time-out by what copying and committing may take. */
const LEASE_MARGIN_MS = 30_000;
/** Nothing is on its way for so long: an upload that stands still is ended after UPLOAD_STALL_MS, an hour at most. */
const DAY_MS = 24 * 60 * 60 * 1000;
const IN_FLIGHT_MS = DAY_MS;
const HOUR_MS = 60 * 60 * 1000;
const NOTE_PROGRESS_EVERY_MS = 10 * 60 * 1000;
const LAST_NOTE_MS = 2_000;
const COUNT_STORED_EVERY_MS = 60 * 1000;
const RETRY_DELAY_MS = 1_000;
export const TOOK_STOCK = 'files and rows were compared';
const TAKING_STOCK_FAILED = 'it could not be seen what the storage has lost';
const FORGETTING_FAILED = 'old audit events could not be removed';
/** Beside the built program; there is none beside the sources. */
const PAGE_FOLDER = fileURLToPath(new URL('../page', import.meta.url));

/**
 * The composition root: the only file that knows every part. Data moves left to right, platform to services to
 * doors to server.
 *
 * @throws Error with one clear sentence when storage or database cannot be written, or the port is taken
 */
export async function startApp(
  config: Config,
  {
    log,
    clock = createSystemClock(),
    sidecarUrl = () => config.parser?.url ?? '',
    retryDelayMs = RETRY_DELAY_MS,
    queriesApart = true,
    stopping,
  }: {
    log: Logger;
    /** Gives the start up: it rejects after the step that it is in. */
    stopping?: AbortSignal;
    clock?: Clock;
    /** Where the sidecar is now; the supervised one may move. */
    sidecarUrl?: () => string;
    retryDelayMs?: number;
    /** Only the built program has the file of the thread that they run in. */
    queriesApart?: boolean;
  },
): Promise<App> {
  assertSeparateFolders(config);
  const metrics = createMetrics();
  const chores = createChores(log);
  const persisted =
    config.persistedDocuments === null ? null : await readPersistedDocuments(config.persistedDocuments);
  const database = await openDatabase(config.databaseUrl, {
    poolSize: config.databasePoolSize,
    statementLimitMs: config.databaseStatementTimeoutMs,
    log,
    stop: stopping,
  });
  const { db } = database;
  const blobs = await openBlobStores({ ...config, log });
  try {
    const { dumps: dumpBlobs, firmwares: firmwareBlobs } = blobs;
    const storages = [dumpBlobs, firmwareBlobs];
    // Before anything is written to a storage that may be somebody else's.
    const installation = await openInstallation({
      database,
      databaseUrl: config.databaseUrl,
      stores: namedStores(config, blobs),
      now: clock.now,
      log,
    });
    await Promise.all(storages.map((storage) => unlessFull(log, storage.check())));

    const audit = createAudit({ db, clock, metrics, log });
    const events = createCoredumpEvents();
    const outbox = createOutbox(database);
    const groupChanges = createEventChannel<GroupChange>();
    const groupEvents = createGroupEvents(groupChanges, database.announcements);
    const alertSender = createAlertSender({
      db,
      now: clock.now,
      log,
      allowPrivate: config.alertsAllowPrivate,
    });
    const groupAlerts: GroupAlerts = {
      writeSpikes: (tx, groupId) => writeSpikesOfGroup(tx, groupId, clock.now()),
      wake: alertSender.wake,
    };
    const alerts = createAlertService({ db, clock, audit, wake: alertSender.wake });
    const owner = randomUUID();
    const state = createParseState({
      db,
      outbox,
      owner,
      now: clock.now,
      leaseNow: database.sharedNow ?? (async () => clock.now()),
      leaseMs: config.parseTimeoutMs + LEASE_MARGIN_MS,
      countUnread,
      count: countAndAnnounce(groupEvents, {
        write: (tx, change, crash) => writeAlerts(tx, change, crash, clock.now()),
        wake: () => alertSender.wake(),
      }),
    });
    const { parser } = config;
    const sidecar =
      parser === null ? null : createSidecarClient({ url: sidecarUrl, timeoutMs: config.parseTimeoutMs });

    // The queue works for the services and the services feed the queue: what is added before it runs is in the
    // database, from where it starts.
    let queue: TaskQueue<ParseTask> | null = null;
    const feed = parser === null ? null : { add: (task: ParseTask) => queue?.add(task) };
    const requeue = createRequeue({ db, state, events, queue: feed });
    const lostDumps = createLostDumps({ db, blobs: dumpBlobs, clock, log });
    const storageLimit = createStorageLimit({
      database,
      blobs: dumpBlobs,
      clock,
      log,
      maxBytes: config.maxStorageBytes,
    });
    const coredumps = createCoredumpService({
      db,
      blobs: dumpBlobs,
      requeue,
      lost: lostDumps,
      outbox,
      events,
      queue: feed,
      clock,
      audit,
      log,
      limits: config,
      unread: { countUnread, countRetired: countForFleet },
      onStored: storageLimit.wake,
    });
    const firmwares = createFirmwareService({
      database,
      blobs: firmwareBlobs,
      clock,
      audit,
      log,
      config,
      onArrival: async (firmware) => {
        await coredumps.firmwareArrived(firmware);
      },
    });
    const rawRetention = createRawRetention({ db, blobs: dumpBlobs, clock, log });
    const removeDueRaw = () =>
      rawRetention
        .sweep()
        .catch((error: unknown) => log.warn({ err: error }, 'raw dumps could not be swept'));
    const privacy = createPrivacyService({ db, audit, onChange: () => void removeDueRaw() });
    const tokenUse = createTokenUse({ db, clock, log });
    const devices = createDeviceService({ db, clock, audit, tokenUse, dumps: coredumps });
    const linkSecret = await readSecret(db, 'download links', clock);
    const links = createDownloadLinks({ secret: linkSecret, clock });
    const clientAddress = createClientAddress(config.trustedProxies);
    const regroup = createRegroupJob({ db, owner, now: clock.now, log, alerts: groupAlerts });
    const crashGroups = createCrashGroupService({
      db,
      events: groupEvents,
      clock,
      audit,
      regroup,
      alerts: groupAlerts,
    });

    await database.jobs?.start();
    await database.announcements.follow({
      Coredump: followerOfDumps(db, events),
      CrashGroup: groupEvents.follower,
    });
    const auth = createAuthenticator({ settings: config.auth, devices, clock, log });
    // Apart from the devices' own: those that nobody has registered yet do not lock out who would register them.
    const gatekeeper = createGatekeeper({ auth, links, guesses: createGuesses(config), clock });

    const sweepDumps = async (before?: Date) => {
      const mayPurge = await installation.mayPurge('Coredump');
      await sweepStorage({ db, blobs: dumpBlobs, clock, metrics, log }, { before, mayPurge });
    };
    const sweepFirmwares = async (before?: Date) =>
      firmwares.sweep({ before, mayPurge: await installation.mayPurge('Firmware') });
    stopping?.throwIfAborted();
    const leftBefore = database.isShared ? new Date(clock.now().getTime() - IN_FLIGHT_MS) : undefined;
    await unlessFull(log, sweepDumps(leftBefore));
    await unlessFull(log, sweepFirmwares(leftBefore));
    await unlessFull(log, installation.noteProgress());
    // Another server's leases are its own: should it be dead, they expire.
    if (!database.isShared) await unlessFull(log, state.liftLeases());
    if (parser !== null && sidecar !== null) {
      queue = await startParsing({
        state,
        jobs: database.jobs,
        blobs: dumpBlobs,
        builds: firmwares,
        lost: lostDumps,
        requeue,
        sidecar,
        events,
        metrics,
        log,
        xferDir: parser.xferDir,
        leftBefore,
        onRead: rawRetention.afterReading,
        concurrency: config.parseConcurrency,
        retryDelayMs,
      });
    }
    /** What the storage has lost, and what is there again, whoever restored it. */
    const takeStock = async (which: 'all' | 'lost') => {
      await firmwares.checkElfs(which);
      await lostDumps.check(which);
      if (parser !== null) await requeue.forWhatIsThereNow(clock.now(), firmwares.isElfThere);
      log.debug({ which }, TOOK_STOCK);
    };
    void takeStock('all').catch((error: unknown) => log.warn({ err: error }, TAKING_STOCK_FAILED));
    const forgetAudit = () => audit.forget(config.auditDays);
    await forgetAudit().catch((error: unknown) => log.warn({ err: error }, FORGETTING_FAILED));
    void removeDueRaw();
    // What a running server leaves (a file that could not be deleted, an upload whose commit nobody knows of) must not
    // wait for its next start.
    for (const sweep of [sweepDumps, sweepFirmwares]) {
      chores.every(DAY_MS, 'the storage could not be swept', () =>
        sweep(new Date(clock.now().getTime() - IN_FLIGHT_MS)),
      );
    }
    chores.every(
      NOTE_PROGRESS_EVERY_MS,
      'the state of the database could not be noted',
      installation.noteProgress,
    );
    chores.every(DAY_MS, TAKING_STOCK_FAILED, () => takeStock('all'));
    chores.every(HOUR_MS, TAKING_STOCK_FAILED, () => takeStock('lost'));
    chores.every(DAY_MS, FORGETTING_FAILED, forgetAudit);
    chores.every(HOUR_MS, 'raw dumps could not be swept', rawRetention.sweep);
    storageLimit.wake();
    chores.every(COUNT_STORED_EVERY_MS, 'stored bytes could not be counted', storageLimit.sweep);
    tellStorage({
      metrics,
      chores,
      limit: storageLimit,
      maxBytes: config.maxStorageBytes,
      disks: {
        dumps: config.coredumpsDir,
        firmware: config.assetsDir,
        ...(database.disk === null ? {} : { database: database.disk }),
        ...(parser === null ? {} : { transfer: parser.xferDir }),
      },
      dumpsDir: config.s3 === null ? config.coredumpsDir : null,
      now: clock.now,
    });

    let isStopping = false;
    metrics.gauge('coredump_parse_queue_depth', 'Dumps that wait for their parse or are in it', () =>
      parser === null ? 0 : state.depth(),
    );
    metrics.gauge('coredump_event_subscribers', 'Subscriptions to parse status', events.subscriberCount);
    metrics.gaugeBy('coredumps', 'Stored dumps by parse status', 'status', coredumps.countByStatus);
    const countLost = async () =>
      [
        ['coredump', await lostDumps.count()],
        ['firmware', await firmwares.countLostElfs()],
      ] as const;
    metrics.gaugeBy(
      'coredock_storage_lost',
      'Files that the storage has lost: their rows are there',
      'kind',
      countLost,
    );
    stopping?.throwIfAborted();
    const crossOrigin = createCrossOrigin(config.corsOrigins, config.publicUrl);
    const rightOfWay = createRightOfWay();
    const bytesInFlight = sharedBytes();
    const queries = queriesApart
      ? createQueryThread(
          {
            database: database.reading,
            limits: config.answerLimits,
            inFlight: bytesInFlight,
            linkSecret: gatekeeper.isOn ? linkSecret : null,
          },
          { clock, metrics, log },
        )
      : null;
    const graphql = createGraphQLServer({
      alerts,
      db,
      coredumps,
      crashGroups,
      search: createSearch(database),
      devices,
      firmwares,
      audit,
      privacy,
      gatekeeper,
      links,
      clientAddress,
      clock,
      config,
      persisted,
      streams: createStreams(config.maxStreamsPerAddress, metrics),
      answers: createAnswerBudget(config.answerLimits, {
        rightOfWay,
        metrics,
        inFlight: createBytesInFlight(bytesInFlight, MAIN_THREAD),
      }),
      queries,
      isForeign: crossOrigin.isForeign,
      metrics,
      log,
    });
    const webSocket = graphql.createWebSocketDoor();
    const server = await listen({
      host: config.host,
      port: config.port,
      maxConnections: config.maxConnections,
      allowedHosts: createAllowedHosts({ ...config, others: config.allowedHosts }),
      answerStallMs: config.answerStallMs,
      crossOrigin,
      metrics,
      log,
      onStopping: () => {
        isStopping = true;
      },
      doors: {
        upload: createUploadRoute({
          coredumps,
          auth,
          metrics,
          limits: createUploadLimits(config, metrics, rightOfWay),
          guesses: createGuesses(config),
          clientAddress,
          maxBytes: config.maxCoredumpBytes,
          stallMs: config.uploadStallMs,
          deadlineMs: config.uploadDeadlineMs,
        }),
        download: createDownloadRoute({ coredumps, gatekeeper, clientAddress }),
        health: createHealthRoutes({
          database,
          storages,
          countLost,
          sidecar,
          metrics,
          gatekeeper,
          clientAddress,
          isStopping: () => isStopping,
          log,
        }),
        page: createPageRoute({
          folder: PAGE_FOLDER,
          issuerOrigins: config.pageClient === null ? () => [] : auth.issuerOrigins,
        }),
        pageConfig: createPageConfigRoute({ gatekeeper, clientAddress, pageClient: config.pageClient }),
        graphql: graphql.handle,
        webSocket,
        async endStreams() {
          graphql.endEventStreams();
          await webSocket.close();
        },
      },
    });
    // Only now: a start that fails leaves nothing running.
    regroup.start();
    const publicUrl = config.publicUrl ?? undefined;
    log.info({ migrated: database.migrated, publicUrl, url: server.url }, 'Coredock is up');
    return { url: server.url, close: once(() => stop(server)) };

    async function stop(http: HttpServer): Promise<void> {
      log.info('stopping');
      chores.stop();
      await http.stop(config.shutdownGraceMs);
      events.close();
      groupChanges.close();
      await queries?.close();
      await regroup.close();
      await alertSender.close();
      await queue?.close();
      await storageLimit.idle();
      await tokenUse.write();
      // A database or storage that does not answer must not hold up the end.
      await Promise.race([installation.noteProgress(), pause(LAST_NOTE_MS, undefined, { ref: false })]);
      blobs.close();
      await database.close();
      log.info('stopped');
    }
  } catch (error) {
    chores.stop();
    blobs.close();
    await database.close();
    throw inOneLine(error);
  }
}

/** What Prisma says of a database that failed has many lines, and none that helps. */
function inOneLine(error: unknown): unknown {
  const known = asDomainError(error);
  return known === error || !(known instanceof DomainError)
    ? error
    : new Error(`DATABASE_URL: ${known.message}`, { cause: error });
}

/** A full disk stops no start: what is there can be read, and deleted. What the work left undone, the next start does. */
async function unlessFull(log: Logger, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    const error = asDomainError(thrown);
    if (!(error instanceof DomainError) || error.code !== 'STORAGE_FULL') throw thrown;
    log.error(`${error.message}: started all the same, to read and to delete`);
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
