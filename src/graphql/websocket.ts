import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ExecutionArgs, GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import type { YogaServerInstance } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { isFromAnotherSite } from './requests.js';

/** A subscription document with its variables. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/**
 * Puts `graphql-transport-ws` on the server's `/graphql`. Operations go through Yoga's own pipeline, so masking and
 * every plugin hold here too.
 *
 * @param run gives each operation a request id of its own
 */
export function serveWebSocket<ServerContext extends object, Context extends object>(
  server: Server,
  yoga: YogaServerInstance<ServerContext, Context>,
  { run, mask }: { run: <T>(work: () => T) => T; mask: (error: unknown) => GraphQLError },
): { close(): Promise<void> } {
  type Pipeline = ReturnType<typeof yoga.getEnveloped>;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on('upgrade', upgrade);
  const disposable = useServer(
    {
      execute: (args) => pipelineOf(args).execute(args),
      subscribe: (args) => pipelineOf(args).subscribe(args),
      onSubscribe: ({ extra }, _id, params) => run(() => prepare(extra, params)),
    },
    sockets,
  );

  return {
    async close() {
      server.off('upgrade', upgrade);
      await disposable.dispose();
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url?.split('?')[0] !== '/graphql' || isFromAnotherSite(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  }

  /** graphql-ws calls execute and subscribe later; the root value carries the operation's own pipeline to them. */
  async function prepare(
    extra: { request: IncomingMessage; socket: unknown },
    params: {
      query: string;
      operationName?: string | null | undefined;
      variables?: Record<string, unknown> | null | undefined;
    },
  ): Promise<ExecutionArgs | GraphQLError[]> {
    const pipeline = yoga.getEnveloped({ req: extra.request, params });
    try {
      const document = pipeline.parse(params.query);
      const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
      if (errors.length > 0) return errors.map(mask);
      return {
        schema: pipeline.schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: await pipeline.contextFactory(),
        rootValue: { pipeline },
      };
    } catch (error) {
      return [mask(error)];
    }
  }

  function pipelineOf({ rootValue }: ExecutionArgs): Pipeline {
    return (rootValue as { pipeline: Pipeline }).pipeline;
  }
}
