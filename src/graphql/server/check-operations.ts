import type { IncomingMessage } from 'node:http';
import {
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { nextAround } from '../../platform/async-iterators.js';
import { tooComplex } from '../limits/document-limits.js';
import { costOf, excessOfCost } from '../limits/query-cost.js';
import { errorsOfVariables } from './input-fields.js';
import { type TextResult, withExtensions } from './result-text.js';

/** Parts of an operation's context: the request, of which a WebSocket's operations have that of its upgrade. */
interface OperationContext {
  req?: IncomingMessage;
  params?: GraphQLParams;
  /** For `boundAnswers`: set before the operation runs. */
  queryCost?: number;
}

/** `Graphql-Cost: 1`, in the request or, over WebSocket, in that of the upgrade. */
const COST_HEADER = 'graphql-cost';

/**
 * Checks each valid operation before anything of it runs, also before a subscription begins: its variables, and what it
 * costs. Tells the cost in `extensions.cost` of each answer whose request asks for it.
 *
 * @param mask an error as clients may see it
 */
export function checkOperations({
  maxCost,
  onRefusal,
  mask,
}: {
  maxCost: number;
  onRefusal: (limit: string) => void;
  mask: (error: GraphQLError) => GraphQLError;
}): Plugin<OperationContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const { refusal, extensions } = check(args);
      if (refusal !== null) return setResultAndStopExecution(refusal);
      if (extensions === null) return;
      return {
        onExecuteDone({ result, setResult }) {
          if (!(Symbol.asyncIterator in result)) setResult(withExtensions(result, extensions));
        },
      };
    },

    onSubscribe({ args, setResultAndStopExecution }) {
      const { refusal, extensions } = check(args);
      if (refusal !== null) return setResultAndStopExecution(refusal);
      if (extensions === null) return;
      return {
        onSubscribeResult({ result, setResult }) {
          // A result of its own for this subscriber: others share the one that it is made of.
          if (Symbol.asyncIterator in result) setResult(extended(result, extensions));
          else setResult(withExtensions(result, extensions));
        },
      };
    },
  };

  /** @returns `extensions` of the answers; null when the request asks for none */
  function check(args: ExecutionArgs): { refusal: ExecutionResult | null; extensions: object | null } {
    const { document, operationName } = args;
    const operation = getOperationAST(document, operationName);
    // The executor says what is wrong with the name.
    if (operation == null) return { refusal: null, extensions: null };
    const cost = counted(args, operation);
    if (typeof cost !== 'number') return { refusal: { errors: cost.map(mask) }, extensions: null };
    const context: OperationContext = Object(args.contextValue);
    context.queryCost = cost;
    const extensions = asksForCost(context) ? { cost: { requested: cost, limit: maxCost } } : null;
    const excess = excessOfCost(cost, maxCost);
    if (excess === null) return { refusal: null, extensions };
    onRefusal(excess.limit);
    const errors = [tooComplex(excess)];
    return { refusal: extensions === null ? { errors } : { errors, extensions }, extensions: null };
  }
}

/** @returns the errors that prevent counting: those of the variables */
function counted(
  { schema, document, variableValues }: ExecutionArgs,
  operation: OperationDefinitionNode,
): number | GraphQLError[] {
  const variables = { ...variableValues };
  const errors = errorsOfVariables({ schema, document, operation, variables });
  return errors.length > 0 ? errors : costOf({ schema, document, operation, variables });
}

function asksForCost({ req, params }: OperationContext): boolean {
  return req?.headers[COST_HEADER] === '1' || params?.extensions?.cost === true;
}

function extended(
  results: AsyncIterable<TextResult>,
  extensions: object,
): AsyncIterableIterator<ExecutionResult> {
  return nextAround<ExecutionResult>(results, async (next) => {
    const result = await next();
    return result.done === true ? result : { done: false, value: withExtensions(result.value, extensions) };
  });
}
