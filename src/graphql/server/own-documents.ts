import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { YogaServerInstance } from 'graphql-yoga';
import { type Actor, runAs } from '../../auth/actor.js';
import { joined, longJson } from '../limits/long-data.js';
import { deliveryBy } from './delivery.js';
import { knownText, shownResult } from './result-text.js';

/** A document of the program itself, run for a person: tools of agents read by them. */
export type AskDocument = (
  exchange: { request: IncomingMessage; response: ServerResponse },
  actor: Omit<Actor, 'audited'>,
  operation: { document: string; variables: Record<string, unknown> },
) => Promise<{ data: unknown; errors: readonly GraphQLError[] }>;

/**
 * Runs documents by the same pipeline as those of clients: authorization, redaction, limits, the query thread, the
 * budget of answers, masked errors. Only the request is none of GraphQL, and persisted documents do not restrict the
 * program's own.
 */
export function askDocuments<ServerContext extends object, Context extends object>(
  yoga: YogaServerInstance<ServerContext, Context>,
  mask: (error: unknown) => GraphQLError,
): AskDocument {
  return ({ request: req, response }, actor, { document: text, variables }) =>
    runAs(actor, () =>
      answered(async () => {
        const params = { query: text, variables };
        const pipeline = yoga.getEnveloped({ req, res: response, params, delivery: deliveryBy(response) });
        const document = pipeline.parse(text);
        const invalid: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
        if (invalid.length > 0) return { data: null, errors: invalid.map(mask) };
        const result: ExecutionResult = await pipeline.execute({
          schema: pipeline.schema,
          document,
          variableValues: variables,
          contextValue: await pipeline.contextFactory(),
        });
        const { data, errors = [] } = await plain(result);
        return { data, errors };
      }),
    );

  /** Limits of documents and variables throw. */
  async function answered(work: () => ReturnType<AskDocument>): ReturnType<AskDocument> {
    try {
      return await work();
    } catch (error) {
      return { data: null, errors: [mask(error)] };
    }
  }
}

/** The data of the answer, also where another thread has written it as JSON. */
async function plain(result: ExecutionResult): Promise<ExecutionResult> {
  const text = knownText(result);
  if (text !== null) return { ...result, data: JSON.parse(text).data };
  const { data, ...others } = shownResult(result);
  const pieces = longJson(data, {});
  if (pieces === null) return result;
  return { ...others, data: JSON.parse((await joined(pieces)).toString('utf8')).data };
}
