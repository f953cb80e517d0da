/**
 * The thread that runs queries, so that no query blocks the main thread, which serves uploads. SQLite's reads, Prisma's
 * conversion of rows, resolvers and the writing of long answers all use processor time.
 */
import os from 'node:os';
import { workerData } from 'node:worker_threads';
import { type ExecutionArgs, parse } from 'graphql';
import { createAlertQueries } from '../../alerts/read.js';
import { createAuditQueries } from '../../audit/service.js';
import { runAs } from '../../auth/actor.js';
import { createDownloadLinks } from '../../auth/download-links.js';
import { createCoredumpQueries } from '../../coredumps/read.js';
import { createCrashGroupQueries } from '../../crash-groups/queries.js';
import { regroupingOf } from '../../crash-groups/regroup-job.js';
import { createTagQueries } from '../../crash-groups/tag-loaders.js';
import { createIngestKeyQueries } from '../../devices/ingest-keys.js';
import { createDeviceQueries } from '../../devices/read.js';
import { createFirmwareQueries } from '../../firmware/read.js';
import type { Clock } from '../../platform/clock.js';
import { openForReading } from '../../platform/database/open-for-reading.js';
import { createUploadPriority } from '../../platform/upload-priority.js';
import { createReleaseQueries } from '../../releases/read.js';
import { createSavedViewQueries } from '../../saved-views/service.js';
import { createSearch } from '../../search/service.js';
import { createAnswerBudget } from '../limits/answer-budget.js';
import { createBytesInFlight, QUERY_THREAD } from '../limits/bytes-in-flight.js';
import { createDocumentCache } from '../limits/document-limits.js';
import { type Context, downloadUrls, type QueryServices, type Services } from '../schema/context.js';
import { createLoaders } from '../schema/loaders.js';
import { schema } from '../schema/schema.js';
import { ignoreAbandonedErrors } from './abandoned-errors.js';
import { executeBounded } from './bounded-answers.js';
import { jsonPieces } from './json-pieces.js';
import {
  deliveryThrough,
  type QueryOutcome,
  type QueryTask,
  type QueryThreadData,
  sendData,
} from './query-port.js';
import { sentError } from './sent-errors.js';

/** When processor time is scarce, uploads run first. */
const NICE = 10;
// Linux changes this thread alone; elsewhere it would be the whole process.
if (process.platform === 'linux') os.setPriority(NICE);

const {
  database: source,
  limits,
  readerTimeoutMs,
  inFlight,
  linkSecret,
  publicUrl,
  markdownLinks,
}: QueryThreadData = workerData;
const database = await openForReading(source);
const { db } = database;
const secret = linkSecret === null ? null : Buffer.from(linkSecret);
const queries: Omit<QueryServices, 'crashGroups' | 'releases'> = {
  alerts: createAlertQueries(db),
  audit: createAuditQueries(db),
  coredumps: createCoredumpQueries(db, markdownLinks),
  devices: createDeviceQueries(db),
  firmwares: createFirmwareQueries(db),
  ingestKeys: createIngestKeyQueries(db),
  savedViews: createSavedViewQueries(db),
  search: createSearch(database),
  tags: createTagQueries(db),
};
const nobody = { inc() {} };
const answers = createAnswerBudget(limits, {
  // Uploads run in another thread.
  uploadPriority: createUploadPriority(),
  ...(readerTimeoutMs === undefined ? {} : { readerTimeoutMs }),
  inFlight: createBytesInFlight(inFlight, QUERY_THREAD),
  // The main thread counts them.
  metrics: { gauge() {}, graphqlRefusals: nobody, slowReaders: nobody },
});
const { documentCache: documents } = createDocumentCache();
ignoreAbandonedErrors();

export default async function runQuery({ port, ...task }: QueryTask): Promise<QueryOutcome> {
  const { address, person, requestId } = task;
  const delivery = deliveryThrough(port);
  const answer = answers.open(address);
  delivery.whenDone(answer.release);
  try {
    const clock = { now: () => task.at };
    const links = secret === null ? null : createDownloadLinks({ secret, clock });
    const downloadUrlOf = downloadUrls(links, publicUrl);
    const context: Context = {
      services: servicesAt(clock),
      loaders: createLoaders(db),
      requestId,
      person,
      answer,
      downloadUrlOf: (id) => downloadUrlOf(id, person),
    };
    const args: ExecutionArgs = {
      schema,
      document: documentOf(task.document),
      operationName: task.operationName,
      variableValues: task.variables,
      contextValue: { ...context, queryCost: task.cost },
    };
    const { data, errors } = await runAs({ person, address, requestId }, () => executeBounded(args, answer));
    const sent = data === undefined ? { data: null, isWhole: true } : sendData(port, jsonPieces(data));
    const refusedFor = answer.refusal === null ? null : String(answer.refusal.extensions.limit);
    return { ...sent, errors: errors?.map(sentError) ?? null, refusedFor };
  } finally {
    answer.complete(delivery);
  }
}

function servicesAt(clock: Pick<Clock, 'now'>): Services {
  const crashGroups = { ...createCrashGroupQueries(db, clock), regrouping: () => regroupingOf(db) };
  const releases = createReleaseQueries(db, clock);
  const all: QueryServices = { ...queries, crashGroups, releases };
  // Queries use only these services, and only these members of them.
  return all as Services;
}

function documentOf(text: string) {
  const known = documents.get(text);
  if (known !== undefined) return known;
  const document = parse(text);
  documents.set(text, document);
  return document;
}
