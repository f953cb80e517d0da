import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { writeAlerts, writeSpikesOfGroup } from '../../src/alerts/outbox.js';
import { createAlertSender } from '../../src/alerts/sender.js';
import { createAlertService } from '../../src/alerts/service.js';
import { createAudit } from '../../src/audit/service.js';
import { createGuesses } from '../../src/auth/attempt-limiter.js';
import { type AuthSettings, createAuthenticator } from '../../src/auth/authenticator.js';
import { createDownloadLinks } from '../../src/auth/download-links.js';
import { createGatekeeper } from '../../src/auth/gatekeeper.js';
import { readConfig } from '../../src/config/settings.js';
import { createCoredumpEvents } from '../../src/coredumps/events.js';
import { createLostDumps } from '../../src/coredumps/lost-dumps.js';
import { createOutbox } from '../../src/coredumps/outbox.js';
import { createParseState, type ParseTask } from '../../src/coredumps/parse-state.js';
import { createRequeue } from '../../src/coredumps/requeue.js';
import { createCoredumpService } from '../../src/coredumps/service.js';
import { createGroupEvents } from '../../src/crash-groups/events.js';
import { countAndAnnounce, countForFleet } from '../../src/crash-groups/record-crash.js';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { createCrashGroupService } from '../../src/crash-groups/service.js';
import type { GroupAlerts, GroupChange } from '../../src/crash-groups/types.js';
import { countUnread } from '../../src/crash-groups/unread.js';
import { createPrivacyService } from '../../src/devices/privacy.js';
import { createDeviceService } from '../../src/devices/service.js';
import { createTokenUse } from '../../src/devices/token-use.js';
import { createFirmwareService } from '../../src/firmware/service.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { createAnswerBudget } from '../../src/graphql/limits/answer-budget.js';
import { createBytesInFlight, MAIN_THREAD, sharedBytes } from '../../src/graphql/limits/bytes-in-flight.js';
import { type Context, createContext, createLoaders } from '../../src/graphql/schema/context.js';
import { createQueryThread } from '../../src/graphql/server/query-thread.js';
import { createStreams } from '../../src/graphql/server/stream-limits.js';
import { createGraphQLServer } from '../../src/graphql/server/yoga.js';
import { createCrossOrigin } from '../../src/http/cors.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createEventChannel } from '../../src/platform/event-channel.js';
import { createClientAddress } from '../../src/platform/http/client-address.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { createRightOfWay } from '../../src/platform/right-of-way.js';
import { createSearch } from '../../src/search/service.js';
import { aMigratedDatabaseUrl } from './database.js';
import { aFleet } from './fleet.js';

export type GraphQLDoor = Awaited<ReturnType<typeof aGraphQLDoor>>;

type Fleet = ReturnType<typeof aFleet>;

const LINK_SECRET = Buffer.alloc(32);

export interface AnswerError {
  message: string;
  path?: Array<string | number>;
  extensions: { code: string; requestId?: string };
}

export interface Answer<Data> {
  status: number;
  data: Data | null;
  errors: AnswerError[];
}

/**
 * The GraphQL door over real HTTP in front of the real services, a real database and real files; without the parse
 * pipeline, so that a test says itself what becomes of a dump.
 */
export async function aGraphQLDoor({
  hasParser = true,
  allowPrivateAlerts = false,
  maxFirmwareBytes = 1024 * 1024,
  maxCoredumps = 20,
  /** Another server on the same database and files; only PostgreSQL allows it. */
  beside = null as { dir: string; databaseUrl: string; fleet: Fleet } | null,
  answerLimits = readConfig({}).answerLimits,
  answerPatienceMs = 5_000,
  auth: settings = { issuer: null, tokens: { admin: [], viewer: [] } } as AuthSettings,
  /** What the services take for the time. */
  clock = createSystemClock(),
  environment = {} as Record<string, string>,
  /** As the built program does, by whose file they are run. Their statements are not counted then. */
  queriesApart = false,
  /** Of their thread. */
  maxHeapMb = undefined as number | undefined,
} = {}) {
  const dir = beside?.dir ?? (await mkdtemp(join(tmpdir(), 'coredock-graphql-')));
  const databaseUrl = beside?.databaseUrl ?? (await aMigratedDatabaseUrl(dir));
  const database = await openDatabase(databaseUrl);
  const { db } = database;
  await database.jobs?.start();
  const statements: string[] = [];
  database.onStatement((sql) => statements.push(sql));
  const logged: Array<{ requestId?: string; err?: { message: string } }> = [];
  const log = pino({ level: 'error' }, { write: (line) => void logged.push(JSON.parse(line)) });
  const events = createCoredumpEvents();
  const groupChanges = createEventChannel<GroupChange>();
  const groupEvents = createGroupEvents(groupChanges, database.announcements);
  const alertSender = createAlertSender({
    db,
    now: clock.now,
    log,
    allowPrivate: allowPrivateAlerts,
    retryDelayMs: 5,
    // Never by itself: its statements would be counted as a request's.
    lookEveryMs: 24 * 60 * 60 * 1000,
  });
  const groupAlerts: GroupAlerts = {
    writeSpikes: (tx, groupId) => writeSpikesOfGroup(tx, groupId, clock.now()),
    wake: alertSender.wake,
  };
  const outbox = createOutbox(database);
  const state = createParseState({
    db,
    outbox,
    owner: randomUUID(),
    now: clock.now,
    leaseNow: async () => clock.now(),
    leaseMs: 60_000,
    countUnread,
    count: countAndAnnounce(groupEvents, {
      write: (tx, change, crash) => writeAlerts(tx, change, crash, clock.now()),
      wake: () => alertSender.wake(),
    }),
  });
  const queued: ParseTask[] = [];
  const queue = hasParser ? { add: (task: ParseTask) => void queued.push(task) } : null;
  const dumpBlobs = createFileBlobs({ root: join(dir, 'coredumps') });
  const firmwareBlobs = createFileBlobs({ root: join(dir, 'firmware') });
  await Promise.all([dumpBlobs.check(), firmwareBlobs.check()]);

  const audit = createAudit({ db, clock, metrics: createMetrics(), log });
  const alerts = createAlertService({ db, clock, audit, wake: alertSender.wake });
  const coredumps = createCoredumpService({
    db,
    blobs: dumpBlobs,
    requeue: createRequeue({ db, state, events, queue }),
    lost: createLostDumps({ db, blobs: dumpBlobs, clock, log }),
    outbox,
    events,
    queue,
    clock,
    audit,
    log,
    limits: { maxCoredumps, maxCoredumpBytes: 1024 * 1024 },
    unread: { countUnread, countRetired: countForFleet },
  });
  const config = { ...readConfig(environment), maxFirmwares: 20, maxFirmwareBytes };
  const firmwares = createFirmwareService({
    database,
    blobs: firmwareBlobs,
    clock,
    audit,
    log,
    config,
    onArrival: async () => {},
  });
  const devices = createDeviceService({
    db,
    clock,
    audit,
    tokenUse: createTokenUse({ db, clock, log }),
    dumps: coredumps,
  });
  const regroup = createRegroupJob({ db, owner: randomUUID(), now: clock.now, log, alerts: groupAlerts });
  const crashGroups = createCrashGroupService({
    db,
    events: groupEvents,
    clock,
    audit,
    regroup,
    alerts: groupAlerts,
  });
  const auth = createAuthenticator({ settings, devices, clock, log });
  const metrics = createMetrics();
  const links = createDownloadLinks({ secret: LINK_SECRET, clock });
  const guesses = createGuesses({ authFailuresPerMinute: 1_000_000 });
  const gatekeeper = createGatekeeper({ auth, links, guesses, clock });
  const inFlight = sharedBytes();
  const answers = createAnswerBudget(answerLimits, {
    rightOfWay: createRightOfWay(),
    metrics,
    patienceMs: answerPatienceMs,
    inFlight: createBytesInFlight(inFlight, MAIN_THREAD),
  });
  const queries = queriesApart
    ? createQueryThread(
        {
          database: database.reading,
          limits: answerLimits,
          inFlight,
          patienceMs: answerPatienceMs,
          linkSecret: gatekeeper.isOn ? LINK_SECRET : null,
        },
        {
          clock,
          metrics,
          log,
          maxHeapMb,
          file: new URL('../../dist/graphql/server/query-worker.js', import.meta.url),
        },
      )
    : null;
  const services = {
    alerts,
    coredumps,
    crashGroups,
    search: createSearch(database),
    devices,
    firmwares,
    audit,
    privacy: createPrivacyService({ db, audit, onChange: () => {} }),
  };
  const graphql = createGraphQLServer({
    ...services,
    db,
    gatekeeper,
    links,
    clientAddress: createClientAddress([]),
    clock,
    config,
    persisted: null,
    streams: createStreams(config.maxStreamsPerAddress, metrics),
    answers,
    queries,
    isForeign: createCrossOrigin([]).isForeign,
    metrics,
    log,
  });

  // A busy machine may take longer between two requests than a connection is kept open for otherwise.
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) =>
    graphql.handle(request, response, randomUUID()),
  );
  const webSocket = graphql.createWebSocketDoor();
  server.on('upgrade', webSocket.upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  let closing: Promise<void> | undefined;
  const closeWebSockets = () => {
    closing ??= webSocket.close();
    return closing;
  };
  onTestFinished(async () => {
    events.close();
    groupChanges.close();
    await regroup.close();
    await alertSender.close();
    await closeWebSockets();
    await queries?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await database.close();
    if (beside === null) await rm(dir, { recursive: true, force: true });
  });

  return {
    url,
    webSocketUrl: url.replace('http', 'ws'),
    dir,
    databaseUrl,
    db,
    events,
    coredumps,
    crashGroups,
    alerts,
    groupAlerts,
    answers,
    metrics,
    groupSubscribers: groupChanges.subscriberCount,
    alertSender,
    devices,
    /** The parse pipeline's last step. */
    state,
    /** What was handed to the parse queue. */
    queued,
    /** What resolvers get where somebody asks with this token, for who executes a document without the door. */
    async contextFor(token: string): Promise<Context> {
      const person = await gatekeeper.admit('127.0.0.1', `Bearer ${token}`);
      return createContext({
        db,
        services,
        loaders: createLoaders(db),
        requestId: 'without the door',
        person,
        answer: answers.open('127.0.0.1'),
        downloadUrlOf: (id) =>
          `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', id))}/download?link=${links.issue(id, person)}`,
      });
    },
    /** What was logged as an error. */
    logged,
    closeWebSockets,
    fleet: beside?.fleet ?? aFleet(db),
    /** From here on the database fails wherever a dump is concerned. */
    breakDatabase: () => db.$executeRaw`ALTER TABLE "Coredump" RENAME TO "Lost"`,
    /** Gives a dump of `fleet` its file, as an upload would have. */
    async putFile(device: { key: string }, dump: { filename: string; size: number }): Promise<void> {
      const folder = join(dir, 'coredumps', device.key);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, dump.filename), Buffer.alloc(dump.size));
    },
    /** Files of dumps, whatever their device. */
    async storedDumps(): Promise<string[]> {
      const entries = await readdir(join(dir, 'coredumps'), { recursive: true });
      return entries.filter((name) => name.endsWith('.dmp'));
    },

    /** Runs an operation; rejects when the answer has errors. */
    async ask<Data, Variables>(
      document: TypedDocumentNode<Data, Variables>,
      variables: Variables,
    ): Promise<Data> {
      const { data, errors } = await post<Data>(url, { query: print(document), variables });
      if (data === null || errors.length > 0) throw new Error(JSON.stringify(errors));
      return data;
    },

    /** Runs a document that is meant to fail, or is not one at all. */
    send: (query: string, variables?: object) => post<Record<string, unknown>>(url, { query, variables }),

    /** The SQL statements that `work` took; the sender of alerts looks into its outbox every now and then. */
    async statementsOf(work: () => Promise<unknown>): Promise<string[]> {
      statements.length = 0;
      await work();
      return [...statements];
    },
  };
}

async function post<Data>(url: string, body: object): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answerOf<Data>(response);
}

export async function answerOf<Data>(response: Response): Promise<Answer<Data>> {
  const { data = null, errors = [] } = (await response.json()) as Partial<Answer<Data>>;
  return { status: response.status, data, errors };
}
