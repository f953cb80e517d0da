import { Readable } from 'node:stream';
import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  getOperationAST,
  OperationTypeNode,
} from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { gatherBy } from '../../platform/database/data-loader.js';
import { graphqlMediaType } from '../../platform/http/graphql-media-type.js';
import type { Answer } from '../limits/answer-budget.js';
import { longJson } from '../limits/long-data.js';
import type { Context } from '../schema/context.js';
import type { Delivery } from './delivery.js';
import { jsonPieces } from './json-pieces.js';
import type { QueryThread } from './query-thread.js';
import { shownResult } from './result-text.js';
import { asOnlyEvent, EVENT_STREAM, EVENT_STREAM_HEADERS } from './sse.js';

/** A query of this cost or more needs a permit, and is executed in slices of some milliseconds. */
const LONG_QUERY_COST = 5_000;
/** Shorter answers are written in one piece. */
const LONG_ANSWER_BYTES = 64 * 1024;

/** Fields of an operation's context beside those for resolvers. */
interface OperationContext {
  queryCost?: number;
  /** Present for queries and mutations; a subscription has one for each event. */
  delivery?: Delivery;
  request?: Request;
}

/**
 * Keeps answers within their budget. Long answers are made one after another and in slices of time. An answer that is
 * too large is refused as a whole. Its bytes are released when the reader has received it or has disconnected.
 *
 * @param queries the thread that runs queries; null: they run in this thread, as mutations and subscriptions do
 */
export function boundAnswers(queries: QueryThread | null): Plugin<Context & OperationContext> {
  const answers = new WeakMap<Request, Answer>();

  return {
    onExecute({ args, setExecuteFn }) {
      const { answer, delivery, request } = args.contextValue;
      if (request !== undefined) answers.set(request, answer);
      const canRunInThread = delivery !== undefined && isQuery(args) && !hasFiles(request);
      const inThread = queries !== null && canRunInThread ? { queries, delivery } : null;
      setExecuteFn(async (given: ExecutionArgs) => {
        if (inThread !== null) return runInThread(given, inThread);
        delivery?.whenDone(answer.release);
        try {
          return await executeBounded(given, answer);
        } finally {
          if (delivery === undefined) answer.release();
          else answer.complete(delivery);
        }
      });
    },

    onResultProcess({ request, result, setResultProcessor }) {
      const accepted = request.headers.get('accept') ?? '*/*';
      if (!isWhole(result)) return;
      const { data, ...others } = shownResult(result);
      const longPieces = longJson(data, others);
      const type = graphqlMediaType(accepted);
      if (longPieces !== null && type === null && accepted.includes(EVENT_STREAM)) {
        setResultProcessor(
          (_result, { Response }) => responseWith(Response, asOnlyEvent(longPieces), EVENT_STREAM_HEADERS),
          EVENT_STREAM,
        );
        return;
      }
      const isLong =
        longPieces !== null || (type !== null && (answers.get(request)?.bytes ?? 0) >= LONG_ANSWER_BYTES);
      if (!isLong) return;
      setResultProcessor((_result, { Response }, mediaType) => {
        const pieces = longPieces ?? jsonPieces({ ...others, data });
        return responseWith(Response, pieces, { 'Content-Type': `${mediaType}; charset=utf-8` });
      }, type ?? 'application/json');
    },
  };
}

function responseWith(
  Response: FetchAPI['Response'],
  pieces: Iterable<string> | AsyncIterable<Uint8Array>,
  headers: Record<string, string>,
): Response {
  const body = Readable.from(pieces, { objectMode: false });
  // When an answer fails halfway its connection is closed too, so that no client takes it for complete.
  body.on('error', () => {});
  // The constructor accepts Node's streams, but its types do not say so.
  return Reflect.construct(Response, [body, { status: 200, headers }]);
}

function isQuery({ document, operationName }: ExecutionArgs): boolean {
  return getOperationAST(document, operationName)?.operation === OperationTypeNode.QUERY;
}

/** Files among the variables cannot be sent to another thread, and no query uses them. */
function hasFiles(request: Request | undefined): boolean {
  return request?.headers.get('content-type')?.startsWith('multipart/') === true;
}

function runInThread(
  { document, operationName, variableValues, contextValue }: ExecutionArgs,
  { queries, delivery }: { queries: QueryThread; delivery: Delivery },
): Promise<ExecutionResult> {
  const { queryCost = 0 }: OperationContext = Object(contextValue);
  return queries.run({
    document,
    operationName: operationName ?? null,
    variables: variableValues ?? {},
    cost: queryCost,
    delivery,
  });
}

/** Executes by graphql-js, the reference executor, which takes the items of a list one by one. */
export async function executeBounded(args: ExecutionArgs, answer: Answer): Promise<ExecutionResult> {
  const { queryCost = 0 }: OperationContext = Object(args.contextValue);
  if (queryCost >= LONG_QUERY_COST) {
    await answer.acquirePermit();
    answer.sliceLists();
  }
  if (answer.refusal !== null) return { errors: [answer.refusal] };
  const { slicesOfLists: slices } = answer;
  const result = await (slices === null ? execute(args) : gatherBy(slices.whenDrained, () => execute(args)));
  return answer.refusal === null ? result : { errors: [answer.refusal] };
}

/** An answer with data, and perhaps errors of its fields. Answers with an error status of their own are short. */
function isWhole(result: object): result is ExecutionResult {
  return 'data' in result && result.data != null;
}
