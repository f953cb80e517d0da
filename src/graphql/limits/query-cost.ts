import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  type ValueNode,
} from 'graphql';
import { type Excess, excessOfLiteral, excessOfVariables, tooMuch, valueReader } from './argument-limits.js';
import { sizesOf } from './list-sizes.js';
import { MAX_PAGE } from './page-sizes.js';

export interface QueryLimits {
  /** Nesting of fields. GraphiQL's introspection has 14 levels. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields in the answer, computed from the sizes of pages and lists. */
  readonly maxCost: number;
}

/** Fields of the document with fragments expanded: GraphiQL's introspection has some 200. */
const MAX_FIELDS = 1_000;
const MAX_DIRECTIVES = 50;
/** Cost of a search for words: it reads texts of many rows, although the answer has few. */
const SEARCH_COST = 2_000;

/**
 * Checks whether an operation of the document asks for more than the limits allow. It needs only the document and its
 * variables, and runs before validation and execution. It stops at the first exceeded limit, so it is cheap however
 * much the fragments expand to.
 *
 * Cost is the number of fields that the answer can have: a field in a page of 200 counts 200 times.
 *
 * @returns `excess` is null when no limit is exceeded; `cost` is that of the most expensive operation, when all were
 * counted to the end
 */
export function measureQuery({
  schema,
  document,
  variables,
  limits,
}: {
  schema: GraphQLSchema;
  document: DocumentNode;
  variables: Readonly<Record<string, unknown>>;
  limits: QueryLimits;
}): { excess: Excess | null; cost: number } {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition);
  }
  const spreading = new Set<string>();
  let aliases = 0;
  let directives = 0;
  let fields = 0;
  let cost = 0;
  let highestCost = 0;

  let read: (value: ValueNode) => unknown = () => undefined;

  let excess = excessOfVariables(variables);
  for (const definition of document.definitions) {
    if (excess !== null) break;
    if (definition.kind !== 'OperationDefinition') continue;
    excess = visitOperation(definition);
    highestCost = Math.max(highestCost, cost);
  }
  return { excess, cost: highestCost };

  /** Aliases and cost are per operation, since only one runs. Fields and directives are added up: all are visited. */
  function visitOperation(operation: OperationDefinitionNode): Excess | null {
    read = valueReader(operation, variables);
    aliases = 0;
    cost = 0;
    const root = schema.getRootType(operation.operation) ?? undefined;
    return (
      countDirectives(operation) ??
      visit(operation.selectionSet, root, { depth: 1, instances: 1, page: null })
    );
  }

  /** @param place.instances how often the selection occurs @param place.page size of the enclosing page */
  function visit(
    { selections }: SelectionSetNode,
    parent: GraphQLCompositeType | undefined,
    place: { depth: number; instances: number; page: number | null },
  ): Excess | null {
    for (const selection of selections) {
      const excess =
        countDirectives(selection) ??
        (selection.kind === 'Field'
          ? visitField(selection, parent, place)
          : selection.kind === 'InlineFragment'
            ? visit(selection.selectionSet, typeNamed(selection.typeCondition?.name.value) ?? parent, place)
            : visitFragment(selection.name.value, place));
      if (excess !== null) return excess;
    }
    return null;
  }

  function visitFragment(name: string, place: Parameters<typeof visit>[2]): Excess | null {
    const fragment = fragments.get(name);
    // Validation reports an unknown fragment.
    if (fragment === undefined) return null;
    if (spreading.has(name)) {
      return tooMuch(
        'depth',
        limits.maxDepth,
        `The fragment "${name}" contains itself, so the query never ends.`,
      );
    }
    spreading.add(name);
    const excess =
      countField() ?? visit(fragment.selectionSet, typeNamed(fragment.typeCondition.name.value), place);
    spreading.delete(name);
    return excess;
  }

  function visitField(
    field: FieldNode,
    parent: GraphQLCompositeType | undefined,
    { depth, instances, page }: Parameters<typeof visit>[2],
  ): Excess | null {
    if (depth > limits.maxDepth) {
      return tooMuch(
        'depth',
        limits.maxDepth,
        `A query nests at most ${limits.maxDepth} fields in each other (GRAPHQL_MAX_DEPTH); this one nests more.`,
      );
    }
    if (field.alias !== undefined && ++aliases > limits.maxAliases) {
      return tooMuch(
        'aliases',
        limits.maxAliases,
        `A query has at most ${limits.maxAliases} aliases (GRAPHQL_MAX_ALIASES); this one has more.`,
      );
    }
    const args = argumentsOf(field);
    const excess = countField() ?? excessOfArguments(field, args);
    if (excess !== null) return excess;

    const definition = fieldOf(parent, field.name.value);
    cost += instances * (1 + (isSearch(field, args) ? SEARCH_COST : 0));
    if (cost > limits.maxCost) {
      return tooMuch(
        'cost',
        limits.maxCost,
        `A query costs at most ${limits.maxCost} (GRAPHQL_MAX_COST); this one costs more. ` +
          'Every field counts, times the sizes of the pages and lists that it is in: ask for fewer fields or smaller pages.',
      );
    }
    if (field.selectionSet === undefined) return null;
    const type = definition === undefined ? undefined : getNamedType(definition.type);
    const sizes = sizesOf(definition, args, page);
    return visit(field.selectionSet, isCompositeType(type) ? type : undefined, {
      depth: depth + 1,
      instances: instances * sizes.times,
      page: sizes.page,
    });
  }

  function argumentsOf({ arguments: nodes = [] }: FieldNode): Map<string, unknown> {
    return new Map(nodes.map(({ name, value }) => [name.value, read(value)]));
  }

  function excessOfArguments(
    { arguments: nodes = [] }: FieldNode,
    args: Map<string, unknown>,
  ): Excess | null {
    for (const { value } of nodes) {
      const excess = excessOfLiteral(value);
      if (excess !== null) return excess;
    }
    for (const name of ['first', 'last']) {
      const size = args.get(name);
      if (typeof size === 'number' && size > MAX_PAGE) {
        return tooMuch('pageSize', MAX_PAGE, `A page has at most ${MAX_PAGE} items; ${size} were asked for.`);
      }
    }
    return null;
  }

  /** Counts fragments too: they could expand each other endlessly before the first field. */
  function countField(): Excess | null {
    fields += 1;
    if (fields <= MAX_FIELDS) return null;
    return tooMuch(
      'fields',
      MAX_FIELDS,
      `A query has at most ${MAX_FIELDS} fields, with fragments expanded; this one has more.`,
    );
  }

  function countDirectives(node: { directives?: readonly unknown[] }): Excess | null {
    directives += node.directives?.length ?? 0;
    if (directives <= MAX_DIRECTIVES) return null;
    return tooMuch(
      'directives',
      MAX_DIRECTIVES,
      `A query has at most ${MAX_DIRECTIVES} directives; this one has more.`,
    );
  }

  function typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }

  function fieldOf(
    parent: GraphQLCompositeType | undefined,
    name: string,
  ): GraphQLField<unknown, unknown> | undefined {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
  }
}

function isSearch({ name }: FieldNode, args: Map<string, unknown>): boolean {
  if (name.value === 'search') return true;
  const filter = args.get('filter');
  if (typeof filter !== 'object' || filter === null) return false;
  const { search, reason }: { search?: unknown; reason?: unknown } = filter;
  return search != null || reason != null;
}
