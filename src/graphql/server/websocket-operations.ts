import type { IncomingMessage } from 'node:http';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from 'graphql';
import type { OperationResult } from 'graphql-ws';
import type { YogaServerInstance } from 'graphql-yoga';
import type { WebSocket } from 'ws';
import { ended, nextAround } from '../../platform/async-iterators.js';
import { between, joined, longJson } from '../limits/long-data.js';
import { documentOf, type PersistedDocuments } from './persisted-documents.js';
import { knownText, shownError, shownResult } from './result-text.js';
import { closeUnread, FORBIDDEN, TRY_AGAIN_LATER } from './websocket-closing.js';
import { createDeliveries } from './websocket-deliveries.js';

/** Runs work under the request id of one operation. */
export type Scope = <T>(work: () => T) => T;

/** An operation as the client sent it. */
interface RequestedOperation {
  id: string;
  params: {
    query: string;
    operationName?: string | null | undefined;
    variables?: Record<string, unknown> | null | undefined;
    extensions?: Record<string, unknown> | null | undefined;
  };
  scope: Scope;
}

interface PreparedOperation {
  execute(): OperationResult;
  subscribe(): OperationResult;
}

/** The operations of all WebSockets, from the message that requests one until its answer has been sent. */
export interface Operations {
  /** Must be called for each socket when it opens. */
  follow(socket: WebSocket): void;
  /** @returns the arguments that graphql-ws passes to `execute`, or the errors of the answer */
  prepare(
    connection: { request: IncomingMessage; socket: WebSocket },
    operation: RequestedOperation,
  ): Promise<ExecutionArgs | GraphQLError[]>;
  /** @throws Error for arguments that did not come from `prepare` */
  prepared(args: ExecutionArgs): PreparedOperation;
  /** graphql-ws completes an operation when its answer has been sent. */
  complete(socket: WebSocket, id: string): void;
  /** Whether a query or mutation runs. */
  isBusy(): boolean;
}

export function createOperations<ServerContext extends object, Context extends object>(
  yoga: YogaServerInstance<ServerContext, Context>,
  { mask, persisted }: { mask: (error: unknown) => GraphQLError; persisted: PersistedDocuments | null },
): Operations {
  const known = new WeakMap<ExecutionArgs, PreparedOperation>();
  /** Queries and mutations that run on a socket, by their ids. */
  const running = new Map<WebSocket, Set<string>>();
  const deliveries = createDeliveries();
  const refused = (error: unknown) => shownError(mask(error));

  return {
    follow(socket) {
      running.set(socket, new Set());
      socket.once('close', () => running.delete(socket));
    },

    async prepare({ request: req, socket }, { id, params, scope }) {
      const pipeline = yoga.getEnveloped({ req, params, delivery: deliveries.of(socket, id) });
      try {
        const named = documentOf(persisted, { query: params.query, extensions: params.extensions ?? {} });
        const document = pipeline.parse(named ?? params.query);
        const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
        if (errors.length > 0) return errors.map(refused);
        const operation = getOperationAST(document, params.operationName);
        if (operation == null) {
          return [
            refused(new GraphQLError('The document has several operations: name one by operationName.')),
          ];
        }
        const args: ExecutionArgs = {
          schema: pipeline.schema,
          document,
          operationName: params.operationName,
          variableValues: params.variables,
          contextValue: await pipeline.contextFactory(),
        };
        known.set(args, {
          async execute() {
            const result: ExecutionResult = await scope(() => pipeline.execute(args));
            const text = knownText(result);
            if (text !== null) return sendAsText(socket, id, [Buffer.from(text)]);
            const { data, ...others } = shownResult(result);
            const json = longJson(data, others);
            return json === null ? shownResult(result) : sendAsText(socket, id, json);
          },
          async subscribe() {
            const result: Awaited<OperationResult> = await scope(() => pipeline.subscribe(args));
            if (!(Symbol.asyncIterator in result)) return shownResult(result);
            // graphql-ws requests each event outside of the operation's scope.
            return nextAround(closeWhenLost(result, socket), async (next) => {
              const event = await scope(next);
              return event.done === true ? event : { done: false, value: shownResult(event.value) };
            });
          },
        });
        if (operation.operation !== 'subscription') running.get(socket)?.add(id);
        return args;
      } catch (error) {
        return [refused(error)];
      }
    },

    prepared(args) {
      const operation = known.get(args);
      if (operation === undefined) throw new Error('an operation was run without being prepared');
      return operation;
    },

    complete(socket, id) {
      running.get(socket)?.delete(id);
      deliveries.done(socket, id);
    },

    isBusy: () => [...running.values()].some((ids) => ids.size > 0),
  };

  /**
   * Sends the message itself, because graphql-ws would write the JSON again.
   * @returns the rest for graphql-ws to send
   */
  async function sendAsText(
    socket: WebSocket,
    id: string,
    json: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<OperationResult> {
    const message = between(`{"id":${JSON.stringify(id)},"type":"next","payload":`, json, '}');
    const bytes = await joined(message);
    if (running.get(socket)?.has(id) === true) socket.send(bytes, { binary: false });
    return nothing();
  }
}

/** How the socket is closed where a subscription fails with one of these codes. */
const CLOSE_CODES: ReadonlyMap<unknown, number> = new Map([
  ['RATE_LIMITED', TRY_AGAIN_LATER],
  ['UNAUTHENTICATED', FORBIDDEN],
]);

/**
 * Closes the socket of a subscriber who is too slow or whose token has expired: after "complete" the client would
 * believe that it has received everything.
 */
function closeWhenLost<Item>(items: AsyncIterable<Item>, socket: WebSocket): AsyncIterableIterator<Item> {
  return nextAround(items, async (next) => {
    try {
      return await next();
    } catch (error) {
      const code = error instanceof GraphQLError ? CLOSE_CODES.get(error.extensions.code) : undefined;
      if (code === undefined || !(error instanceof GraphQLError)) throw error;
      closeUnread(socket, code, error.message);
      return ended();
    }
  });
}

async function* nothing(): AsyncGenerator<never> {}
