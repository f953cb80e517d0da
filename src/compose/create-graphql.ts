import type { Config } from '../config/settings.js';
import { createAnswerBudget } from '../graphql/limits/answer-budget.js';
import { createBytesInFlight, MAIN_THREAD, sharedBytes } from '../graphql/limits/bytes-in-flight.js';
import { createLoaders } from '../graphql/schema/loaders.js';
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
import type { RightOfWay } from '../platform/right-of-way.js';
import type { AllServices } from './create-services.js';

interface GraphQLParts {
  config: Config;
  database: Database;
  services: AllServices;
  clientAddress: ClientAddress;
  /** Null where there are none. */
  persisted: PersistedDocuments | null;
  isForeign: CrossOrigin['isForeign'];
  rightOfWay: RightOfWay;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
  /** The thread that queries run in, by its built file and its heap; null: they run in this thread. */
  queryThread: { file?: URL; maxHeapMb?: number | undefined } | null;
  /** How long an answer waits for bytes in flight; the budget's own time when absent. */
  readerTimeoutMs?: number;
}

/** The GraphQL transports on top of all services, with the limits that their answers share. */
export function createGraphQL({
  config,
  database,
  services,
  queryThread,
  rightOfWay,
  readerTimeoutMs,
  ...parts
}: GraphQLParts) {
  const { clock, metrics, log } = parts;
  const { gatekeeper, links, linkSecret } = services;
  const limits = config.answerLimits;
  const inFlight = sharedBytes();
  const patience = readerTimeoutMs === undefined ? {} : { readerTimeoutMs };
  const answers = createAnswerBudget(limits, {
    rightOfWay,
    metrics,
    inFlight: createBytesInFlight(inFlight, MAIN_THREAD),
    ...patience,
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
            ...patience,
          },
          { clock, metrics, log, ...queryThread },
        );
  const { alerts, audit, coredumps, crashGroups, devices, firmwares, privacy, search } = services;
  const graphql = createGraphQLServer({
    ...{ alerts, audit, coredumps, crashGroups, devices, firmwares, privacy, search },
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
