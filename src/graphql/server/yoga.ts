import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { type Actor, currentActor, resumeAs, runAs } from '../../auth/actor.js';
import type { DownloadLinks } from '../../auth/download-links.js';
import type { Gatekeeper } from '../../auth/gatekeeper.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientAddress } from '../../platform/http/client-address.js';
import type { Logger } from '../../platform/logger.js';
import type { Metrics } from '../../platform/metrics.js';
import type { AnswerBudget } from '../limits/answer-budget.js';
import { createDocumentCache, type DocumentLimits, limitDocuments } from '../limits/document-limits.js';
import { type Context, downloadUrls, type Services } from '../schema/context.js';
import type { Loaders } from '../schema/loaders.js';
import { schema } from '../schema/schema.js';
import { ignoreAbandonedErrors } from './abandoned-errors.js';
import { createAdmission, type GraphQLSessions, graphiqlOptions, refuse } from './authentication.js';
import { boundAnswers } from './bounded-answers.js';
import { checkOperations } from './check-operations.js';
import { type Delivery, deliveryBy } from './delivery.js';
import { createErrorMask } from './error-mask.js';
import { graphiqlPage } from './graphiql-page.js';
import { withField } from './input-fields.js';
import { askDocuments } from './own-documents.js';
import { type PersistedDocuments, usePersistedDocuments } from './persisted-documents.js';
import type { QueryThread } from './query-thread.js';
import { readRequests } from './request-parser.js';
import { shareAnswers } from './shared-executions.js';
import { sendEventStreams } from './sse.js';
import { admitEventStream, type Streams } from './stream-limits.js';
import { limitUploaders } from './uploader-fields.js';
import { serveWebSocket } from './websocket.js';

interface ServerContext {
  req: IncomingMessage;
  res: ServerResponse;
  delivery?: Delivery;
}

interface GraphQLDeps extends Services {
  /** New loaders for each request or event. */
  createLoaders: () => Loaders;
  gatekeeper: Gatekeeper;
  links: DownloadLinks;
  clientAddress: ClientAddress;
  clock: Pick<Clock, 'now'>;
  config: {
    publicUrl: string | null;
    maxFirmwareBytes: number;
    queryLimits: DocumentLimits & { maxCost: number };
  };
  /** Null where there are none. */
  persisted: PersistedDocuments | null;
  streams: Streams;
  answers: AnswerBudget;
  /** The thread that runs queries; null: they run in this thread. */
  queries: QueryThread | null;
  /** The sessions of browsers. */
  pageSessions: GraphQLSessions;
  /** Why a request is refused that comes from a page of another site; null when it is not. */
  refusalOfOrigin: (request: IncomingMessage) => string | null;
  metrics: Pick<Metrics, 'graphqlRefusals'>;
  log: Logger;
}

/** The GraphQL transports: queries and mutations over HTTP, subscriptions over SSE and WebSocket, all on `/graphql`. */
export function createGraphQLServer({
  createLoaders,
  gatekeeper,
  links,
  clientAddress,
  clock,
  config,
  persisted,
  streams,
  answers,
  queries,
  pageSessions,
  refusalOfOrigin,
  metrics,
  log,
  ...services
}: GraphQLDeps) {
  ignoreAbandonedErrors();
  /**
   * The request of the current operation: errors are masked and contexts made where it is not passed as an argument.
   */
  const requestId = () => currentActor()?.requestId ?? 'unknown';
  const mask = createErrorMask(log);
  const onRefusal = (limit: string) => metrics.graphqlRefusals.inc({ limit });
  const eventStreams = sendEventStreams();
  const downloadUrlOf = downloadUrls(gatekeeper.isOn ? links : null, config.publicUrl);
  const admission = createAdmission({ gatekeeper, clientAddress, clock, pageSessions, refusalOfOrigin });

  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: ({ req }) => {
      const actor = currentActor();
      if (actor === null) throw new Error('an operation outside of a request');
      return { ...contextOf(actor, createLoaders()), lastEventId: lastEventIdOf(req) };
    },
    graphqlEndpoint: '/graphql',
    landingPage: false,
    batching: false,
    cors: false,
    logging: false,
    parserAndValidationCache: createDocumentCache(),
    renderGraphiQL: graphiqlPage,
    graphiql: (request) => graphiqlOptions(request.headers.get('authorization') ?? undefined),
    // `readRequests` reads and limits bodies.
    multipart: false,
    maxRequestBodySize: false,
    maskedErrors: { maskError: (error) => mask(error, requestId()) },
    plugins: [
      readRequests({ maxFileBytes: config.maxFirmwareBytes, refusalOfOrigin, onRefusal }),
      usePersistedDocuments(persisted),
      limitDocuments(config.queryLimits, onRefusal),
      maskValidation((error) => mask(error, requestId())),
      limitUploaders,
      checkOperations({
        maxCost: config.queryLimits.maxCost,
        onRefusal,
        mask: (error) => mask(error, requestId()),
      }),
      boundAnswers(queries),
      shareAnswers({ contextOf, createLoaders }),
      admission.endWithToken,
      eventStreams,
    ],
  });

  function contextOf({ requestId, person, address }: Actor, loaders: Loaders): Context {
    const answer = answers.open(address);
    return {
      services,
      loaders,
      requestId,
      person,
      answer,
      downloadUrlOf: (id) => downloadUrlOf(id, person),
    };
  }

  return {
    async handle(req: IncomingMessage, res: ServerResponse, id: string): Promise<void> {
      try {
        const address = clientAddress(req);
        if (!admitEventStream(req, res, { streams, address })) return;
        if (await admission.signIn(req, res, id)) return;
        // Runs before anything in the document is examined.
        const { person, session } = await admission.identify(req, res);
        const actor = { person, address, requestId: id, session };
        await runAs(actor, () => yoga.handle(req, res, { req, res, delivery: deliveryBy(res) }));
      } catch (error) {
        refuse(res, error, mask(error, id));
      }
    },
    /** Documents of the program itself, for the tools of agents. */
    ask: askDocuments(yoga, (error) => mask(error, requestId())),
    closeEventStreams: eventStreams.endAll,
    /** Subscriptions over WebSocket. */
    createWebSocketTransport: () =>
      serveWebSocket(yoga, {
        gatekeeper,
        clock,
        openScope: ({ person, session }, request) => {
          const actor = {
            person,
            session,
            address: clientAddress(request),
            requestId: randomUUID(),
            audited: new Map<string, number>(),
          };
          return (work) => resumeAs(actor, work);
        },
        mask: (error) => mask(error, requestId()),
        persisted,
        sessionOf: pageSessions.secretOf,
        refusalOfOrigin,
        clientAddress,
        streams,
        onRefusal,
      }),
  };
}

/** What a client of server-sent events received last: it sends this when it connects again. */
function lastEventIdOf({ headers }: IncomingMessage): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

/** Masks validation errors, and names their inputs: Yoga masks only what parsing and execution throw. */
function maskValidation(mask: (error: GraphQLError) => GraphQLError): Plugin {
  return {
    onValidate:
      ({ params: { documentAST } }) =>
      (validated) => {
        if (validated.valid) return;
        validated.setResult(validated.result.map((error) => mask(withField(error, documentAST))));
      },
  };
}
