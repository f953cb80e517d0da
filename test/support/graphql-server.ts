import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createGraphQL } from '../../src/compose/create-graphql.js';
import { createServices } from '../../src/compose/create-services.js';
import { type AuthSettings, readConfig } from '../../src/config/settings.js';
import type { ParseTask } from '../../src/coredumps/parse-task.js';
import type { Whole } from '../../src/dashboard/api/whole.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import type { Context } from '../../src/graphql/schema/context.js';
import { createLoaders } from '../../src/graphql/schema/loaders.js';
import { createCrossOrigin } from '../../src/http/cors.js';
import { sendError } from '../../src/http/errors.js';
import { createMcpRoute } from '../../src/http/mcp.js';
import { createFileBlobs } from '../../src/platform/blobs/files/file-blobs.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createClientAddress } from '../../src/platform/http/client-address.js';
import type { SmtpSettings } from '../../src/platform/mail/mailer.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { createUploadPriority } from '../../src/platform/upload-priority.js';
import { aMigratedDatabaseUrl } from './database.js';
import { aFleet } from './fleet.js';

const QUERY_WORKER = fileURLToPath(new URL('../../dist/query-worker.js', import.meta.url));

export type GraphQLEndpoint = Awaited<ReturnType<typeof aGraphQLEndpoint>>;

type Fleet = ReturnType<typeof aFleet>;

export interface AnswerError {
  message: string;
  path?: Array<string | number>;
  extensions: { code: string; requestId?: string; field?: string };
}

export interface Answer<Data> {
  status: number;
  data: Data | null;
  errors: AnswerError[];
}

/**
 * The GraphQL endpoint over real HTTP in front of the real services, a real database and real files; without the parse
 * pipeline, so that a test says itself what becomes of a dump.
 */
export async function aGraphQLEndpoint({
  hasParser = true,
  allowPrivateAlerts = false,
  maxFirmwareBytes = 1024 * 1024,
  maxCoredumps = 20,
  /** Another server on the same database and files; only PostgreSQL allows it. */
  beside = null as { dir: string; databaseUrl: string; fleet: Fleet } | null,
  answerLimits = readConfig({}).answerLimits,
  answerPatienceMs = 5_000,
  auth = readConfig({}).auth as AuthSettings,
  /** The mail server of alerts, and the certificate that it has. */
  mail = null as { smtp: SmtpSettings; ca: string } | null,
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
  const queued: ParseTask[] = [];
  const queue = hasParser ? { add: (task: ParseTask) => void queued.push(task) } : null;
  const dumpBlobs = createFileBlobs({ root: join(dir, 'coredumps') });
  const firmwareBlobs = createFileBlobs({ root: join(dir, 'firmware') });
  await Promise.all([dumpBlobs.check(), firmwareBlobs.check()]);
  const config = {
    ...readConfig({ AUTH_FAILURES_PER_MINUTE: '1000000', ...environment }),
    ...{ maxCoredumps, maxCoredumpBytes: 1024 * 1024, maxFirmwares: 20, maxFirmwareBytes },
    ...{ answerLimits, auth, alertsAllowPrivate: allowPrivateAlerts, smtp: mail?.smtp ?? null },
  };
  const metrics = createMetrics();
  const services = await createServices({
    ...{ config, clock, log, metrics, queue },
    // Leases by the clock of the test.
    database: { ...database, now: async () => clock.now() },
    blobs: { dumps: dumpBlobs, firmwares: firmwareBlobs },
    // Never by itself: its statements would be counted as a request's.
    ...(mail === null ? {} : { mailCa: mail.ca }),
    alertTimes: { retryDelayMs: 5, lookEveryMs: 24 * 60 * 60 * 1000 },
  });
  const { alerts, alertSender, coredumps, crashGroups, devices, events, groupAlerts, groupChanges } =
    services;
  const { gatekeeper, links, regroup, state } = services;
  const { graphql, answers, queries } = createGraphQL({
    ...{ config, database, services, clock, metrics, log },
    clientAddress: createClientAddress([]),
    persisted: null,
    pageSessions: { secretOf: () => undefined, begin: async () => {} },
    refusalOfOrigin: createCrossOrigin([]).refusalOf,
    uploadPriority: createUploadPriority(),
    queryThread: queriesApart ? { file: QUERY_WORKER, maxHeapMb } : null,
    readerTimeoutMs: answerPatienceMs,
  });

  // A busy machine may take longer between two requests than a connection is kept open for otherwise.
  const mcp = createMcpRoute({
    gatekeeper,
    clientAddress: createClientAddress([]),
    refusalOfOrigin: createCrossOrigin([]).refusalOf,
    ask: graphql.ask,
    pageUrl: 'https://crashes.example',
    version: '1.0.0',
  });
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const requestId = randomUUID();
    if (request.url !== '/mcp') return graphql.handle(request, response, requestId);
    const exchange = {
      request,
      response,
      path: '/mcp',
      search: '',
      requestId,
      log: log.child({ requestId }),
    };
    return mcp(exchange).catch((error: unknown) => sendError(response, error, log));
  });
  const webSocket = graphql.createWebSocketTransport();
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
    await services.changes.close();
    await regroup.close();
    await services.ruleRuns.close();
    await alertSender.stop();
    await closeWebSockets();
    await queries?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await database.close();
    if (beside === null) await rm(dir, { recursive: true, force: true });
  });

  return {
    url,
    mcpUrl: url.replace('/graphql', '/mcp'),
    webSocketUrl: url.replace('http', 'ws'),
    dir,
    databaseUrl,
    db,
    events,
    changes: services.changes,
    coredumps,
    crashGroups,
    alerts,
    groupAlerts,
    ruleRuns: services.ruleRuns,
    answers,
    metrics,
    groupSubscribers: groupChanges.subscriberCount,
    alertSender,
    alertWatch: services.alertWatch,
    devices,
    endIgnores: services.endIgnores,
    firmwares: services.firmwares,
    boots: services.boots,
    /** The parse pipeline's last step. */
    state,
    /** What was handed to the parse queue. */
    queued,
    /** What resolvers get where somebody asks with this token, for who executes a document without the endpoint. */
    async contextFor(token: string): Promise<Context> {
      const person = await gatekeeper.admit('127.0.0.1', `Bearer ${token}`);
      return {
        services,
        loaders: createLoaders(db),
        requestId: 'without the endpoint',
        person,
        answer: answers.open('127.0.0.1'),
        downloadUrlOf: (id) =>
          `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', id))}/download?link=${links.issue(id, person)}`,
      };
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
    /** Gives a build of `fleet` its ELF, as an upload would have. */
    async putElf(model: { code: string }, { elfSha256, size }: { elfSha256: string; size: number }) {
      const path = join(dir, 'firmware', model.code, `${elfSha256}.elf`);
      await mkdir(join(dir, 'firmware', model.code), { recursive: true });
      await writeFile(path, Buffer.alloc(size));
      return {
        isThere: () =>
          stat(path).then(
            () => true,
            () => false,
          ),
      };
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
    ): Promise<Whole<Data>> {
      const { data, errors } = await post<Whole<Data>>(url, { query: print(document), variables });
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
