import type { IncomingMessage } from 'node:http';
import { createAttemptLimiter } from '../auth/attempt-limiter.js';
import { alsoWaking } from '../changes/announced.js';
import type { Config } from '../config/settings.js';
import { followerOfDumps } from '../coredumps/events.js';
import type { ParseTask } from '../coredumps/parse-task.js';
import { createSidecarClient } from '../coredumps/sidecar-client.js';
import { DomainError } from '../errors.js';
import { printedSchema } from '../graphql/schema/printed-schema.js';
import { readPersistedDocuments } from '../graphql/server/persisted-documents.js';
import type { QueryThread } from '../graphql/server/query-thread.js';
import { createBootRoute } from '../http/boot.js';
import { createCrossOrigin } from '../http/cors.js';
import { createCrashRoute } from '../http/crash.js';
import { createPageRoute } from '../http/dashboard-assets.js';
import { createPageConfigRoute } from '../http/dashboard-config.js';
import { createCoreElfRoute, createDownloadRoute } from '../http/download.js';
import { createEspCrashDumpRoute } from '../http/esp-crash-dump.js';
import { createEspCrashElfRoute } from '../http/esp-crash-elf.js';
import { createEspCrashSenders } from '../http/esp-crash-sender.js';
import { createExportRoute } from '../http/export.js';
import { createFirmwareDownloadRoute } from '../http/firmware-download.js';
import { createGraphiqlRoute } from '../http/graphiql-assets.js';
import { createHealthRoutes } from '../http/health.js';
import { createMcpRoute } from '../http/mcp.js';
import { createPageSessions } from '../http/page-sessions.js';
import { createRoutes } from '../http/routes.js';
import { createSchemaRoute } from '../http/schema-document.js';
import { type HttpServer, listen } from '../http/server.js';
import { createSessionRoute } from '../http/session.js';
import { createSettingWarnings } from '../http/setting-warnings.js';
import { createSharedCrashRoute } from '../http/shared-crash.js';
import { createCrashStore } from '../http/store-crash.js';
import { createUploadRoute } from '../http/upload.js';
import { createUploadLimits } from '../http/upload-limits.js';
import { openInstallation } from '../installation/installation.js';
import { assertSeparateFolders } from '../installation/separate-folders.js';
import { namedStores } from '../installation/stores.js';
import { openBlobStores } from '../platform/blobs/open-blob-stores.js';
import { type Clock, createSystemClock } from '../platform/clock.js';
import { asDomainError } from '../platform/database/errors.js';
import { openDatabase } from '../platform/database/open-database.js';
import { createAllowedHosts } from '../platform/http/allowed-hosts.js';
import { basePathOf } from '../platform/http/base-path.js';
import { createClientAddress } from '../platform/http/client-address.js';
import { createSessionCookie } from '../platform/http/session-cookie.js';
import type { Logger } from '../platform/logger.js';
import { createMetrics } from '../platform/metrics.js';
import { GRAPHIQL_FOLDER, PAGE_FOLDER, programVersion } from '../platform/program-files.js';
import { createUploadPriority } from '../platform/upload-priority.js';
import { createGraphQL } from './create-graphql.js';
import { type AllServices, createServices } from './create-services.js';
import { registerGauges } from './gauges.js';
import { type Background, startBackground } from './start-background.js';
import { unlessFull } from './unless-full.js';

export interface App {
  readonly url: string;
  /** Stops gracefully: uploads in flight finish, running parses are released, everything is closed. */
  close(): Promise<void>;
}

const RETRY_DELAY_MS = 1_000;

/**
 * The composition root: opens the platform, creates the services, starts the background work, and listens.
 *
 * @throws Error with one clear sentence when storage or database cannot be written, or the port is in use
 */
export async function startApp(
  config: Config,
  {
    log,
    clock = createSystemClock(),
    sidecarUrl = () => config.parser?.url ?? '',
    sidecarRestarts = () => 0,
    retryDelayMs = RETRY_DELAY_MS,
    queriesApart = true,
    stopping,
  }: {
    log: Logger;
    /** Abandons the start: it rejects after the current step. */
    stopping?: AbortSignal;
    clock?: Clock;
    /** The current address of the sidecar; that of the supervised one may change. */
    sidecarUrl?: () => string;
    /** How often the supervised sidecar was restarted. */
    sidecarRestarts?: () => number;
    retryDelayMs?: number;
    /** Only the built program has the file of the thread that runs queries. */
    queriesApart?: boolean;
  },
): Promise<App> {
  assertSeparateFolders(config);
  const metrics = createMetrics();
  const persisted =
    config.persistedDocuments === null ? null : await readPersistedDocuments(config.persistedDocuments);
  const database = await openDatabase(config.databaseUrl, {
    poolSize: config.databasePoolSize,
    statementLimitMs: config.databaseStatementTimeoutMs,
    log,
    stop: stopping,
    now: clock.now,
  });
  const blobs = await openBlobStores({ ...config, log });
  let background: Background | null = null;
  try {
    // Before anything is written to a storage that may belong to another installation.
    const installation = await openInstallation({
      database,
      databaseUrl: config.databaseUrl,
      stores: namedStores(config, blobs),
      now: clock.now,
      log,
    });
    await Promise.all([blobs.dumps, blobs.firmwares].map((storage) => unlessFull(log, storage.check())));

    // Queue and services need each other. A dump that is added before the queue runs is in the database, where the
    // queue finds it.
    const feed = { add: (task: ParseTask) => background?.queue?.add(task) };
    const queue = config.parser === null ? null : feed;
    const timeoutMs = config.parseTimeoutMs;
    const sidecar = config.parser === null ? null : createSidecarClient({ url: sidecarUrl, timeoutMs });
    const services = await createServices({ config, database, blobs, clock, log, metrics, queue, sidecar });
    const { auth, boots, coredumps, events, firmwares, gatekeeper, registration } = services;
    const { countMissing, sampleStorage } = registerGauges({
      ...{ config, database, services, sidecarRestarts, metrics, clock },
    });

    await database.jobs?.start();
    await database.announcements.follow({
      Coredump: alsoWaking(services.changes, followerOfDumps(database.db, events)),
      CrashGroup: alsoWaking(services.changes, services.groupEvents.follower),
    });
    stopping?.throwIfAborted();
    background = await startBackground({
      ...{ config, database, blobs, services, installation, sidecar, retryDelayMs, sampleStorage },
      ...{ clock, metrics, log },
    });
    stopping?.throwIfAborted();

    let isStopping = false;
    const settingWarnings = createSettingWarnings(log);
    const clientAddress = createClientAddress(config.trustedProxies, (address) =>
      settingWarnings.note(
        `${address} sends X-Forwarded-For, which is ignored: if it is your reverse proxy, name it in TRUSTED_PROXIES; ` +
          'until then all its clients count as one.',
      ),
    );
    const basePath = basePathOf(config.publicUrl);
    const ownOrigin = config.publicUrl === null ? null : new URL(config.publicUrl).origin;
    const crossOrigin = createCrossOrigin(config.corsOrigins, ownOrigin);
    const pageSessions = createPageSessions({
      ...{ sessions: services.sessions, crossOrigin, clientAddress, publicUrl: config.publicUrl, clock },
      cookie: createSessionCookie({ installation: installation.id, basePath }),
    });
    const sessionOf = pageSessions.secretOf;
    const refusalOfOrigin = (request: IncomingMessage) => {
      const reason = crossOrigin.refusalOf(request);
      if (reason !== null) settingWarnings.note(reason);
      return reason;
    };
    const uploadPriority = createUploadPriority();
    const deviceAttempts = createAttemptLimiter(config);
    const { graphql, queries } = createGraphQL({
      ...{ config, database, services, clientAddress, persisted, uploadPriority, clock, metrics, log },
      pageSessions,
      refusalOfOrigin,
      queryThread: queriesApart ? {} : null,
    });
    const webSocket = graphql.createWebSocketTransport();
    const uploadLimits = createUploadLimits(config, metrics, uploadPriority);
    const store = createCrashStore({ coredumps, registration, limits: uploadLimits });
    const uploads = {
      coredumps,
      metrics,
      limits: uploadLimits,
      attemptLimiter: deviceAttempts,
      clientAddress,
      maxBytes: config.maxCoredumpBytes,
      stallMs: config.uploadStallMs,
      deadlineMs: config.uploadDeadlineMs,
    };
    const server = await listen({
      host: config.host,
      port: config.port,
      maxConnections: config.maxConnections,
      basePath,
      settingWarnings,
      allowedHosts: createAllowedHosts({ ...config, others: config.allowedHosts }),
      answerStallMs: config.answerStallMs,
      crossOrigin,
      metrics,
      log,
      onStopping: () => {
        isStopping = true;
      },
      routes: createRoutes({
        upload: createUploadRoute({ ...uploads, store, auth, registration }),
        crash: createCrashRoute({ ...uploads, store, auth, registration }),
        espCrashDump: createEspCrashDumpRoute({
          ...uploads,
          isOpen: config.espCrashRoutes,
          crossOrigin,
          findSender: createEspCrashSenders({ auth, registration }),
        }),
        espCrashElf: createEspCrashElfRoute({
          isOpen: config.espCrashRoutes,
          firmwares: services.firmwares,
          gatekeeper,
          clientAddress,
          maxBytes: config.maxFirmwareBytes,
          stallMs: config.uploadStallMs,
          deadlineMs: config.uploadDeadlineMs,
        }),
        boot: createBootRoute({
          boots,
          registration,
          auth,
          metrics,
          attemptLimiter: deviceAttempts,
          clientAddress,
          stallMs: config.uploadStallMs,
        }),
        sharedCrash: createSharedCrashRoute({
          shareLinks: services.shareLinks,
          attemptLimiter: createAttemptLimiter(config),
          clientAddress,
        }),
        download: createDownloadRoute({ coredumps, gatekeeper, clientAddress, sessionOf }),
        coreElf: createCoreElfRoute({ coredumps, gatekeeper, clientAddress, sessionOf }),
        exportList: createExportRoute({
          exports: services.exports,
          gatekeeper,
          clientAddress,
          sessionOf,
          now: clock.now,
        }),
        firmwareDownload: createFirmwareDownloadRoute({ firmwares, gatekeeper, clientAddress, sessionOf }),
        health: createHealthRoutes({
          database,
          storages: [blobs.dumps, blobs.firmwares],
          countMissing,
          sidecar,
          metrics,
          gatekeeper,
          clientAddress,
          sessionOf,
          isStopping: () => isStopping,
          log,
        }),
        page: createPageRoute({
          folder: PAGE_FOLDER,
          basePath,
          issuerOrigins: config.pageClient === null ? () => [] : auth.issuerOrigins,
        }),
        graphiql: createGraphiqlRoute({ folder: GRAPHIQL_FOLDER }),
        schemaDocument: createSchemaRoute({ print: printedSchema, gatekeeper, clientAddress, sessionOf }),
        mcp: createMcpRoute({
          ...{ gatekeeper, clientAddress, refusalOfOrigin },
          ask: graphql.ask,
          pageUrl: config.pageUrl,
          version: programVersion(),
        }),
        pageConfig: createPageConfigRoute({
          ...{ gatekeeper, clientAddress, crossOrigin, pageSessions, settingWarnings },
          pageClient: config.pageClient,
        }),
        session: createSessionRoute({
          ...{ gatekeeper, sessions: services.sessions, pageSessions, crossOrigin, clientAddress },
        }),
        graphql: graphql.handle,
      }),
      webSocket,
      async endStreams() {
        graphql.closeEventStreams();
        await webSocket.close();
      },
    });
    // Last, so that nothing keeps running after a failed start.
    services.regroup.start();
    services.ruleRuns.start();
    services.alertSender.start();
    const publicUrl = config.publicUrl ?? undefined;
    log.info({ migrated: database.migrated, publicUrl, url: server.url }, 'Coredock is up');
    return { url: server.url, close: once(() => stop(server, { services, queries })) };
  } catch (error) {
    background?.stopSchedule();
    blobs.close();
    await database.close();
    throw inOneLine(error);
  }

  async function stop(
    http: HttpServer,
    { services, queries }: { services: AllServices; queries: QueryThread | null },
  ): Promise<void> {
    log.info('stopping');
    background?.stopSchedule();
    await http.stop(config.shutdownGraceMs);
    services.events.close();
    services.groupChanges.close();
    await services.changes.close();
    await queries?.close();
    await background?.close();
    blobs.close();
    await database.close();
    log.info('stopped');
  }
}

/** Prisma's errors for a failed database have many lines, none of which helps. */
function inOneLine(error: unknown): unknown {
  const known = asDomainError(error);
  return known === error || !(known instanceof DomainError)
    ? error
    : new Error(`DATABASE_URL: ${known.message}`, { cause: error });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
