import type { Config } from '../config/settings.js';
import { createAnswerBudget } from '../graphql/limits/answer-budget.js';
import { createBytesInFlight, MAIN_THREAD, sharedBytes } from '../graphql/limits/bytes-in-flight.js';
import { createLoaders } from '../graphql/schema/loaders.js';
import type { GraphQLSessions } from '../graphql/server/authentication.js';
import type { PersistedDocuments } from '../graphql/server/persisted-documents.js';
import { createQueryThread } from '../graphql/server/query-thread.js';
import { createStreams } from '../graphql/server/stream-limits.js';
import { createGraphQLServer } from '../graphql/server/yoga.js';
import type { CrossOrigin } from '../http/cors.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database/types.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import type { UploadPriority } from '../platform/upload-priority.js';
import type { AllServices } from './create-services.js';

interface GraphQLParts {
  config: Config;
  database: Database;
  services: AllServices;
  clientAddress: ClientAddress;
  /** Null without persisted documents. */
  persisted: PersistedDocuments | null;
  pageSessions: GraphQLSessions;
  refusalOfOrigin: CrossOrigin['refusalOf'];
  uploadPriority: UploadPriority;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
  /** The thread that runs queries, by its built file and its heap limit; null: queries run in this thread. */
  queryThread: { file?: string; maxHeapMb?: number | undefined } | null;
  /** How long an answer waits for free bytes in flight, in milliseconds; the budget's default if absent. */
  readerTimeoutMs?: number;
}

/** The GraphQL transports on top of all services, with the limits that their answers share. */
export function createGraphQL({
  config,
  database,
  services,
  queryThread,
  uploadPriority,
  readerTimeoutMs,
  ...parts
}: GraphQLParts) {
  const { clock, metrics, log } = parts;
  const { gatekeeper, links, linkSecret } = services;
  const limits = config.answerLimits;
  const inFlight = sharedBytes();
  const timeout = readerTimeoutMs === undefined ? {} : { readerTimeoutMs };
  const answers = createAnswerBudget(limits, {
    uploadPriority,
    metrics,
    inFlight: createBytesInFlight(inFlight, MAIN_THREAD),
    ...timeout,
  });
  const queries =
    queryThread === null
      ? null
      : createQueryThread(
          {
            database: database.reading,
            limits,
            inFlight,
            linkSecret: gatekeeper.isOn ? linkSecret : null,
            publicUrl: config.publicUrl,
            markdownLinks: services.coredumps.markdownLinks,
            ...timeout,
          },
          { clock, metrics, log, ...queryThread },
        );
  const graphql = createGraphQLServer({
    ...services,
    ...parts,
    createLoaders: () => createLoaders(database.db),
    gatekeeper,
    links,
    config,
    streams: createStreams(config.maxStreamsPerAddress, metrics),
    answers,
    queries,
  });
  return { graphql, answers, queries };
}
