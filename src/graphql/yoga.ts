import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Authenticator } from '../auth/authenticator.js';
import type { Person } from '../auth/principal.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/database.js';
import type { Logger } from '../platform/logger.js';
import { createAdmission, graphiqlOptions, refuse } from './admission.js';
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
  auth: Authenticator;
  clock: Pick<Clock, 'now'>;
  config: { maxFirmwareBytes: number };
  log: Logger;
}

/** The GraphQL door: queries and mutations over HTTP, subscriptions over SSE and WebSocket, all on `/graphql`. */
export function createGraphQLServer({ db, auth, clock, config, log, ...services }: GraphQLDeps) {
  /** Errors are masked, and contexts made, far from the request that they belong to. */
  const requests = new AsyncLocalStorage<{ id: string; person: Person }>();
  const requestId = () => requests.getStore()?.id ?? 'unknown';
  const mask = createErrorMask(log);
  const admission = createAdmission({ auth, clock });

  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: () => {
      const request = requests.getStore();
      if (request === undefined) throw new Error('an operation outside of a request');
      return createContext({ db, services, requestId: request.id, person: request.person });
    },
    graphqlEndpoint: '/graphql',
    landingPage: false,
    batching: false,
    cors: false,
    logging: false,
    // Its scripts come with the package, not from somebody's CDN.
    renderGraphiQL,
    graphiql: (request) => graphiqlOptions(request.headers.get('authorization') ?? undefined),
    // Bodies are read, and limited, by `readRequests`.
    multipart: false,
    maxRequestBodySize: false,
    maskedErrors: { maskError: (error) => mask(error, requestId()) },
    plugins: [
      readRequests({ maxFileBytes: config.maxFirmwareBytes }),
      limitTokens,
      maskValidation((error) => mask(error, requestId())),
      admission.endWithToken,
    ],
  });

  return {
    async handle(req: IncomingMessage, res: ServerResponse, id: string): Promise<void> {
      try {
        if (await admission.signIn(req, res)) return;
        const person = await admission.admit(req.headers.authorization);
        await requests.run({ id, person }, () => yoga.handle(req, res, { req, res }));
      } catch (error) {
        refuse(res, error, mask(error, id));
      }
    },
    attachWebSocket: (server: Server) =>
      serveWebSocket(server, yoga, {
        admit: admission.admit,
        clock,
        openScope: (person) => {
          const id = randomUUID();
          return (work) => requests.run({ id, person }, work);
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
