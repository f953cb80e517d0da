import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Db } from '../platform/database/database.js';
import type { Logger } from '../platform/logger.js';
import { type Context, createContext, type Services } from './context.js';
import { createErrorMask } from './errors.js';
import { limitTokens } from './limits.js';
import { readRequests } from './requests.js';
import { schema } from './schema.js';
import { serveWebSocket } from './websocket.js';

interface ServerContext {
  req: IncomingMessage;
  res: ServerResponse;
}

interface GraphQLDeps extends Services {
  db: Db;
  config: { maxFirmwareBytes: number };
  log: Logger;
}

/** The GraphQL door: queries and mutations over HTTP, subscriptions over SSE and WebSocket, all on `/graphql`. */
export function createGraphQLServer({ db, config, log, ...services }: GraphQLDeps) {
  /** Errors are masked far from the request that they belong to. */
  const requestIds = new AsyncLocalStorage<string>();
  const requestId = () => requestIds.getStore() ?? 'unknown';
  const mask = createErrorMask(log);

  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: () => createContext({ db, services, requestId: requestId() }),
    graphqlEndpoint: '/graphql',
    landingPage: false,
    batching: false,
    cors: false,
    logging: false,
    // Its scripts come with the package, not from somebody's CDN.
    renderGraphiQL,
    graphiql: { title: 'Coredock' },
    // Bodies are read, and limited, by `readRequests`.
    multipart: false,
    maxRequestBodySize: false,
    maskedErrors: { maskError: (error) => mask(error, requestId()) },
    plugins: [
      readRequests({ maxFileBytes: config.maxFirmwareBytes }),
      limitTokens,
      maskValidation((error) => mask(error, requestId())),
    ],
  });

  return {
    handle: (req: IncomingMessage, res: ServerResponse, id: string) =>
      requestIds.run(id, () => yoga.handle(req, res, { req, res })),
    attachWebSocket: (server: Server) =>
      serveWebSocket(server, yoga, {
        openScope: () => {
          const id = randomUUID();
          return (work) => requestIds.run(id, work);
        },
        mask: (error) => mask(error, requestId()),
      }),
  };
}

/** Yoga masks what parsing and execution throw, but lets validation errors through with codes of their own. */
function maskValidation(mask: (error: unknown) => GraphQLError): Plugin {
  return {
    onValidate: () => (validated) => {
      if (!validated.valid) validated.setResult(validated.result.map(mask));
    },
  };
}
