import { complexityFromQuery } from '@pothos/plugin-complexity';
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql';
import { type Excess, tooMuch } from './argument-limits.js';

/**
 * What an operation costs: the number of fields that its answer can have, by the `complexity` of each field
 * (`field-costs.ts`). Fields under @skip and @include count too.
 *
 * @param document valid, and within the limits of its size (`document-size.ts`): it has no circular fragments
 * @param variables valid for the operation
 */
export function costOf({
  schema,
  document,
  operation,
  variables,
}: {
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  variables: Record<string, unknown>;
}): number {
  // The calculator takes the first operation of a document, not the one that runs.
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const alone: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
  return complexityFromQuery(alone, { schema, variables }).complexity;
}

/** @returns null when the cost is within the limit */
export function excessOfCost(cost: number, maxCost: number): Excess | null {
  if (cost <= maxCost) return null;
  return tooMuch(
    'cost',
    maxCost,
    `A query costs at most ${maxCost} (GRAPHQL_MAX_COST); this one costs ${cost}. ` +
      'Every field counts, times the sizes of the pages and lists that it is in: ask for fewer fields or smaller pages.',
  );
}
