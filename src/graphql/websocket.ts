import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError, getOperationAST } from 'graphql';
import type { OperationResult } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { YogaServerInstance } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { isFromAnotherSite } from './requests.js';

/** A subscription document with its variables. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** How long a client may take to say goodbye when the server stops. */
const GOODBYE_MS = 1_000;

/** Runs work under the request id of one operation. */
type Scope = <T>(work: () => T) => T;

/** What graphql-ws is to do with the arguments that it was given. */
interface Operation {
  execute(): OperationResult;
  subscribe(): OperationResult;
}

/**
 * Puts `graphql-transport-ws` on the server's `/graphql`. Operations go through Yoga's own pipeline, so masking and
 * every plugin hold here too.
 *
 * @param openScope gives an operation a request id of its own
 * @param mask called inside the operation's scope
 */
export function serveWebSocket<ServerContext extends object, Context extends object>(
  server: Server,
  yoga: YogaServerInstance<ServerContext, Context>,
  { openScope, mask }: { openScope: () => Scope; mask: (error: unknown) => GraphQLError },
): { close(): Promise<void> } {
  const operations = new WeakMap<ExecutionArgs, Operation>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on('upgrade', upgrade);
  const disposable = useServer(
    {
      onSubscribe: ({ extra }, _id, params) => {
        const scope = openScope();
        return scope(() => prepare(extra.request, params, scope));
      },
      execute: (args) => operationOf(args).execute(),
      subscribe: (args) => operationOf(args).subscribe(),
      // Else it tells clients the text of errors that nobody expected.
      isProd: true,
    },
    sockets,
  );

  return {
    async close() {
      server.off('upgrade', upgrade);
      const goodbye = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, GOODBYE_MS);
      await disposable.dispose();
      clearTimeout(goodbye);
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url?.split('?')[0] !== '/graphql' || isFromAnotherSite(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      sockets.emit('connection', opened, request);
      // ws ends a connection for what a client sent wrong; graphql-ws would print a stack on top, for every one.
      opened.removeAllListeners('error').on('error', () => {});
    });
  }

  async function prepare(
    req: IncomingMessage,
    params: {
      query: string;
      operationName?: string | null | undefined;
      variables?: Record<string, unknown> | null | undefined;
    },
    scope: Scope,
  ): Promise<ExecutionArgs | GraphQLError[]> {
    const pipeline = yoga.getEnveloped({ req, params });
    try {
      const document = pipeline.parse(params.query);
      const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
      if (errors.length > 0) return errors.map(mask);
      if (getOperationAST(document, params.operationName) == null) {
        return [mask(new GraphQLError('Say by operationName which operation of the document to run.'))];
      }
      const args: ExecutionArgs = {
        schema: pipeline.schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: await pipeline.contextFactory(),
      };
      operations.set(args, {
        execute: () => scope(() => pipeline.execute(args)),
        async subscribe() {
          const result: Awaited<OperationResult> = await scope(() => pipeline.subscribe(args));
          return Symbol.asyncIterator in result ? inScope(scope, result) : result;
        },
      });
      return args;
    } catch (error) {
      return [mask(error)];
    }
  }

  /** graphql-ws hands the arguments that `prepare` made to execute and subscribe. */
  function operationOf(args: ExecutionArgs): Operation {
    const operation = operations.get(args);
    if (operation === undefined) throw new Error('an operation was run that was not prepared');
    return operation;
  }
}

/** Each event is worked on when graphql-ws asks for it, which is outside the scope that the operation began in. */
function inScope<Item>(scope: Scope, items: AsyncIterable<Item>): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  return {
    next: () => scope(() => iterator.next()),
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
