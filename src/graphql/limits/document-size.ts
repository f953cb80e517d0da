import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
} from 'graphql';
import { type Excess, excessOfLiteral, excessOfVariables, tooMuch, valueReader } from './argument-limits.js';
import { MAX_PAGE } from './page-sizes.js';

export interface SizeLimits {
  /** Nesting of fields. GraphiQL's introspection has 14 levels. */
  readonly maxDepth: number;
  readonly maxAliases: number;
}

/** Fields of the document with fragments expanded: GraphiQL's introspection has some 200. */
const MAX_FIELDS = 1_000;
const MAX_DIRECTIVES = 50;

/**
 * Checks whether a document is larger than the limits allow. It needs only the document and its variables, and runs
 * before validation and before its cost is counted. It stops at the first exceeded limit, so it is cheap however much
 * the fragments expand to.
 *
 * @returns null when no limit is exceeded
 */
export function excessOfDocument(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  limits: SizeLimits,
): Excess | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition);
  }
  const spreading = new Set<string>();
  let aliases = 0;
  let directives = 0;
  let fields = 0;
  let read: (value: ValueNode) => unknown = () => undefined;

  let excess = excessOfVariables(variables);
  for (const definition of document.definitions) {
    if (excess !== null) break;
    if (definition.kind !== 'OperationDefinition') continue;
    excess = visitOperation(definition);
  }
  return excess;

  /** Aliases are counted per operation, since only one runs. Fields and directives are added up: all are visited. */
  function visitOperation(operation: OperationDefinitionNode): Excess | null {
    read = valueReader(operation, variables);
    aliases = 0;
    return countDirectives(operation) ?? visit(operation.selectionSet, 1);
  }

  function visit({ selections }: SelectionSetNode, depth: number): Excess | null {
    for (const selection of selections) {
      const excess =
        countDirectives(selection) ??
        (selection.kind === 'Field'
          ? visitField(selection, depth)
          : selection.kind === 'InlineFragment'
            ? visit(selection.selectionSet, depth)
            : visitFragment(selection.name.value, depth));
      if (excess !== null) return excess;
    }
    return null;
  }

  function visitFragment(name: string, depth: number): Excess | null {
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
    const excess = countField() ?? visit(fragment.selectionSet, depth);
    spreading.delete(name);
    return excess;
  }

  function visitField(field: FieldNode, depth: number): Excess | null {
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
    const excess = countField() ?? excessOfArguments(field);
    if (excess !== null || field.selectionSet === undefined) return excess;
    return visit(field.selectionSet, depth + 1);
  }

  function excessOfArguments({ arguments: nodes = [] }: FieldNode): Excess | null {
    for (const { name, value } of nodes) {
      const excess = excessOfLiteral(value);
      if (excess !== null) return excess;
      const size = name.value === 'first' || name.value === 'last' ? read(value) : undefined;
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
}
