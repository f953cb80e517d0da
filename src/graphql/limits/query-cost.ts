import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
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
  try {
    return complexityFromQuery(alone, { schema, variables }).complexity;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return complexityFromQuery(runnable(alone, operation), { schema, variables }).complexity;
  }

  /** Nothing below a field runs whose arguments are wrong for this request: null by a variable, for example. */
  function runnable(
    counted: DocumentNode,
    { variableDefinitions = [] }: OperationDefinitionNode,
  ): DocumentNode {
    const { coerced = {} } = getVariableValues(schema, variableDefinitions, variables);
    const types = new TypeInfo(schema);
    const enter = (node: ASTNode) =>
      node.kind === Kind.FIELD && !isRunnable(types.getFieldDef(), node, coerced) ? UNRUN : undefined;
    return visit(counted, visitWithTypeInfo(types, { enter }));
  }
}

/** What such a field counts as. */
const UNRUN: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

function isRunnable(
  field: GraphQLField<unknown, unknown> | null | undefined,
  node: FieldNode,
  variables: Record<string, unknown>,
): boolean {
  if (field == null) return true;
  try {
    getArgumentValues(field, node, variables);
    return true;
  } catch (error) {
    if (error instanceof GraphQLError) return false;
    throw error;
  }
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
