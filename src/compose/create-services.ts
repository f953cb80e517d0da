import { randomUUID } from 'node:crypto';
import { createDeliver } from '../alerts/deliver.js';
import { writeAlerts, writeSpikesOfGroups } from '../alerts/outbox.js';
import { createAlertSender } from '../alerts/sender.js';
import { createAlertService } from '../alerts/service.js';
import { createAlertWatch } from '../alerts/watch.js';
import { createAudit } from '../audit/service.js';
import { createAttemptLimiter } from '../auth/attempt-limiter.js';
import { createAuthenticator, isAuthenticationOn } from '../auth/authenticator.js';
import { createDownloadLinks } from '../auth/download-links.js';
import { createGatekeeper } from '../auth/gatekeeper.js';
import { readSecret } from '../auth/secrets.js';
import { createChangeService } from '../changes/service.js';
import type { Config } from '../config/settings.js';
import { createDecode } from '../coredumps/decode.js';
import { createCoredumpEvents } from '../coredumps/events.js';
import { createHandIn } from '../coredumps/hand-in.js';
import { createLostDumps } from '../coredumps/lost-dumps.js';
import { createOutbox } from '../coredumps/outbox.js';
import { createRulesOf } from '../coredumps/own-code.js';
import { createParseState } from '../coredumps/parse-state.js';
import type { ParseTask } from '../coredumps/parse-task.js';
import { createRequeue } from '../coredumps/requeue.js';
import { createRawRetention } from '../coredumps/retention.js';
import { createCoredumpService } from '../coredumps/service.js';
import { createShareLinks } from '../coredumps/share-links.js';
import type { SidecarClient } from '../coredumps/sidecar-client.js';
import { createStorageLimit } from '../coredumps/storage-limit.js';
import { createStorageUse } from '../coredumps/storage-use.js';
import { createVersionCorrection } from '../crash-groups/correct-versions.js';
import { countKept } from '../crash-groups/count-kept.js';
import { createIgnoreEnds } from '../crash-groups/end-ignores.js';
import { createGroupEvents } from '../crash-groups/events.js';
import { createOwnCodeWork } from '../crash-groups/own-code-work.js';
import { countAndAnnounce, countForFleet, createTellOfCrash } from '../crash-groups/record-crash.js';
import { createRegroupJob } from '../crash-groups/regroup-job.js';
import { createRuleRuns } from '../crash-groups/rule-runs.js';
import { createCrashGroupService } from '../crash-groups/service.js';
import { createTagQueries } from '../crash-groups/tag-loaders.js';
import { createTagService } from '../crash-groups/tag-service.js';
import { createTagWork } from '../crash-groups/tag-work.js';
import type { GroupAlerts, GroupChange } from '../crash-groups/types.js';
import { countUnread } from '../crash-groups/unread.js';
import { createBootReports } from '../devices/boot-reports.js';
import { createIngestKeyService } from '../devices/ingest-keys.js';
import { createLinkService } from '../devices/link-settings.js';
import { createOwnCodeService } from '../devices/own-code.js';
import { createPrivacyService } from '../devices/privacy.js';
import { createRegistration } from '../devices/registration.js';
import { createDeviceService } from '../devices/service.js';
import { createTokenUse } from '../devices/token-use.js';
import { createExports } from '../exports/service.js';
import { createFirmwareService } from '../firmware/service.js';
import { createLease } from '../platform/background/lease.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database/types.js';
import { createEventChannel } from '../platform/event-channel.js';
import type { Logger } from '../platform/logger.js';
import { createMailer } from '../platform/mail/mailer.js';
import type { Metrics } from '../platform/metrics.js';
import { createReleaseQueries } from '../releases/read.js';
import { createSavedViews } from '../saved-views/service.js';
import { createSearch } from '../search/service.js';
import { createSessions } from '../sessions/service.js';

export type AllServices = Awaited<ReturnType<typeof createServices>>;

interface ServicesDeps {
  config: Config;
  /** With its job queue started, if it has one. */
  database: Database;
  blobs: { readonly dumps: BlobStore; readonly firmwares: BlobStore };
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Receives the dumps to parse; null without a sidecar: dumps are stored and stay PENDING. */
  queue: { add(task: ParseTask): void } | null;
  /** Reads crashes that are decoded only; null or left out without a sidecar. */
  sidecar?: SidecarClient | null;
  /** Retry times of alert deliveries; the sender's defaults if absent. */
  alertTimes?: { retryDelayMs?: number; lookEveryMs?: number };
  /** Certificates of mail servers to trust, for tests. */
  mailCa?: string;
}

/** How much longer a lease lasts than the time-out of an attempt: for copying and committing. */
const LEASE_MARGIN_MS = 30_000;

/**
 * Creates all services on the opened platform parts, once for the program and for tests. No background work runs yet:
 * `startBackground` (`start-background.ts`) starts it.
 */
export async function createServices(deps: ServicesDeps) {
  const { config, database, blobs, clock, log, metrics, queue, sidecar = null } = deps;
  const { db } = database;
  const owner = randomUUID();
  const changes = createChangeService({ changes: database.changes, clock, log });
  const audit = createAudit({ db, clock, metrics, log, onChange: changes.wake });
  const groupChanges = createEventChannel<GroupChange>();
  const groupEvents = createGroupEvents(groupChanges, database.announcements, changes.wake);
  const alerting = createAlerting(deps, audit);
  const { alertSender } = alerting;
  const dumps = createDumps({ ...deps, owner, audit, changes, groupEvents, alertSender });
  const correctVersions = createVersionCorrection({ db, clock, ...dumps });
  const firmwares = createFirmwareService({
    database,
    blobs: blobs.firmwares,
    clock,
    audit,
    log,
    config,
    onArrival: async (firmware) => {
      await dumps.coredumps.firmwareArrived(firmware);
      await correctVersions(firmware);
    },
  });
  const rawRetention = createRawRetention({ db, blobs: blobs.dumps, clock, log });
  const privacy = createPrivacyService({ db, clock, audit, onChange: () => void rawRetention.sweepSoon() });
  const modelLinks = createLinkService({ clock, audit });
  const tokenUse = createTokenUse({ db, clock, log });
  const devices = createDeviceService({
    ...{ db, clock, audit, tokenUse },
    dumps: dumps.coredumps,
    builds: firmwares,
    rules: alerting.alerts,
    countKept: (tx, device) => countKept(tx, device, dumps.count),
  });
  const handIn = createHandIn({ db, coredumps: dumps.coredumps, devices });
  const decode = createDecode({
    ...{ db, audit, builds: firmwares, maxBytes: config.maxCoredumpBytes },
    parser: sidecar === null || config.parser === null ? null : { sidecar, xferDir: config.parser.xferDir },
  });
  const ingestKeys = createIngestKeyService({ db, clock, audit });
  const boots = createBootReports({ database, clock, onChange: changes.wake });
  const registration = createRegistration({
    clock,
    audit,
    metrics,
    maxPendingDevices: config.maxPendingDevices,
  });
  const { groupAlerts } = alerting;
  const alertWatch = createAlertWatch({
    db,
    clock,
    wake: alertSender.wake,
    storage: createStorageUse({
      limit: dumps.storageLimit,
      maxBytes: config.maxStorageBytes,
      disks: sharedDisks(config, database),
    }),
  });
  const regroup = createRegroupJob({ database, owner, now: clock.now, log, alerts: groupAlerts });
  const ownCodeWork = createOwnCodeWork({
    ...{ db, rulesOf: createRulesOf(database), now: clock.now, alerts: groupAlerts },
  });
  const tagWork = createTagWork({ db, now: clock.now });
  const ruleRuns = createRuleRuns({ database, owner, now: clock.now, log, works: [ownCodeWork, tagWork] });
  const tagService = createTagService({
    ...{ clock, audit, events: groupEvents },
    runs: { begin: (tx, ruleId) => ruleRuns.begin(tx, tagWork, ruleId), wake: ruleRuns.wake },
  });
  const ownCode = createOwnCodeService({
    clock,
    audit,
    regroup: {
      beginForModel: (tx, modelId) => ruleRuns.begin(tx, ownCodeWork, modelId),
      wake: ruleRuns.wake,
    },
  });
  const crashGroups = createCrashGroupService({
    db,
    events: groupEvents,
    clock,
    audit,
    regroup,
    alerts: groupAlerts,
  });
  const linkSecret = await readSecret(db, 'download links', clock);
  const links = createDownloadLinks({ secret: linkSecret, clock });
  const auth = createAuthenticator({ settings: config.auth, devices, clock, log });
  // Not the limiter of devices: failures of unknown devices must not lock out the admin who wants to register them.
  const clientId = config.pageClient?.clientId ?? null;
  const sessions = createSessions({ database, auth, clientId, audit, clock, log });
  const attemptLimiter = createAttemptLimiter(config);
  const gatekeeper = createGatekeeper({ auth, links, sessions, attemptLimiter, clock });
  return {
    ...dumps,
    ...alerting,
    alertWatch,
    audit,
    auth,
    boots,
    changes,
    crashGroups,
    decode,
    devices,
    exports: createExports({ db, clock }),
    endIgnores: createIgnoreEnds({ db, events: groupEvents, alerts: groupAlerts, now: clock.now }),
    firmwares,
    gatekeeper,
    groupChanges,
    groupEvents,
    handIn,
    ingestKeys,
    links,
    linkSecret,
    modelLinks,
    ownCode,
    privacy,
    rawRetention,
    registration,
    regroup,
    releases: createReleaseQueries(db, clock),
    ruleRuns,
    savedViews: createSavedViews({ db, clock, audit }),
    search: createSearch(database),
    sessions,
    tags: { ...createTagQueries(db), ...tagService },
    shareLinks: createShareLinks({ db, clock, audit }),
    tokenUse,
    hasParser: queue !== null,
  };
}

/** With a bucket, or a database on another machine, only some or none of them are disks of this machine. */
function sharedDisks({ s3, coredumpsDir, assetsDir }: Config, { disk }: Database): string[] {
  return [...(s3 === null ? [coredumpsDir, assetsDir] : []), ...(disk === null ? [] : [disk])];
}

/** Alert rules, and the sender of their deliveries. */
function createAlerting({ config, database, clock, log, alertTimes, mailCa }: ServicesDeps, audit: Audit) {
  const { db } = database;
  const mailer = config.smtp === null ? null : createMailer(config.smtp, mailCa);
  const deliver = createDeliver({
    ...{ now: clock.now, allowPrivate: config.alertsAllowPrivate, pageUrl: config.pageUrl, mailer },
  });
  const alertSender = createAlertSender({ database, now: clock.now, log, deliver, ...alertTimes });
  const groupAlerts: GroupAlerts = {
    writeSpikes: (tx, groupIds) => writeSpikesOfGroups(tx, groupIds, clock.now()),
    wake: alertSender.wake,
  };
  return {
    alertSender,
    groupAlerts,
    alerts: createAlertService({
      ...{ db, clock, audit, wake: alertSender.wake },
      limits: { hasMailer: mailer !== null, maxCoredumps: config.maxCoredumps },
    }),
  };
}

/** Dumps from their arrival to their end, without the parse itself, which the queue runs. */
function createDumps({
  config,
  database,
  blobs,
  clock,
  log,
  queue,
  owner,
  audit,
  changes,
  groupEvents,
  alertSender,
}: ServicesDeps & DumpDeps) {
  const { db } = database;
  const events = createCoredumpEvents(undefined, changes.wake);
  const outbox = createOutbox(database);
  const tell = createTellOfCrash(groupEvents, {
    write: (tx, crash) => writeAlerts(tx, crash, clock.now(), config.maxCoredumps),
    wake: alertSender.wake,
  });
  const count = countAndAnnounce(tell, clock.now);
  const state = createParseState({
    db,
    outbox,
    owner,
    now: clock.now,
    leases: createLease({ now: database.now, lastsMs: config.parseTimeoutMs + LEASE_MARGIN_MS }),
    countUnread,
    count,
    rulesOf: createRulesOf(database),
  });
  const requeue = createRequeue({ db, state, events, queue });
  const lostDumps = createLostDumps({ db, blobs: blobs.dumps, clock, log });
  const storageLimit = createStorageLimit({
    database,
    blobs: blobs.dumps,
    clock,
    log,
    maxBytes: config.maxStorageBytes,
  });
  const coredumps = createCoredumpService({
    db,
    blobs: blobs.dumps,
    requeue,
    lost: lostDumps,
    outbox,
    events,
    queue,
    clock,
    audit,
    log,
    limits: config,
    links: { pageUrl: config.pageUrl, needsToken: isAuthenticationOn(config.auth) },
    unread: { countUnread, countRetired: countForFleet },
    onStored: storageLimit.wake,
  });
  return { coredumps, count, events, lostDumps, outbox, requeue, state, storageLimit, tell };
}

type Audit = ReturnType<typeof createAudit>;

interface DumpDeps {
  owner: string;
  audit: Audit;
  changes: ReturnType<typeof createChangeService>;
  groupEvents: ReturnType<typeof createGroupEvents>;
  alertSender: ReturnType<typeof createAlertSender>;
}
