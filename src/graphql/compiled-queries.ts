import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';

/** A page asks the same again and again; who writes a query tries it once or twice, and compiling takes milliseconds. */
const COMPILED_FROM = 3;
/** Fields of all the queries that are remembered. Compiled, a field takes some 4 kB. */
const REMEMBERED_FIELDS = 5_000;

interface Known {
  timesAsked: number;
  /** Null while it is not worth it, and for good where the compiler gave up. */
  compiled: CompiledQuery | null;
}

/**
 * Executes queries that are asked again by code that was made for them: long lists take a quarter of the time that the
 * executor takes, which looks at each field of each row anew. The resolvers are the same, and so are their rules.
 *
 * The executor has the last word: mutations and subscriptions are always its own, and a query whose variables or fields
 * had errors is executed once more by it (queries change nothing), so that nobody sees an error that reads otherwise.
 */
export function compileQueries(schema: GraphQLSchema, compiledFrom = COMPILED_FROM): Plugin {
  const known = new LRUCache<DocumentNode, Map<string, Known>>({
    maxSize: REMEMBERED_FIELDS,
    sizeCalculation: (_operations, document) => Math.max(1, countFields(document)),
  });

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const compiled = compiledFor(args);
      if (compiled === null) return;
      setExecuteFn((given: ExecutionArgs) => {
        if (!haveVariables(given)) return executeFn(given);
        const unlessWrong = (result: ExecutionResult) =>
          result.errors === undefined ? result : executeFn(given);
        const result = compiled.query(given.rootValue, given.contextValue, given.variableValues);
        return 'then' in result ? result.then(unlessWrong) : unlessWrong(result);
      });
    },
  };

  function compiledFor({ document, operationName }: ExecutionArgs): CompiledQuery | null {
    if (getOperationAST(document, operationName)?.operation !== 'query') return null;
    const operations = known.get(document) ?? new Map<string, Known>();
    if (operations.size === 0) known.set(document, operations);
    const name = operationName ?? '';
    const query = operations.get(name) ?? { timesAsked: 0, compiled: null };
    operations.set(name, query);
    query.timesAsked += 1;
    if (query.timesAsked === compiledFrom && !namesPrototype(document)) {
      const compiled = compileQuery(schema, document, operationName ?? undefined);
      query.compiled = isCompiledQuery(compiled) ? compiled : null;
    }
    return query.compiled;
  }

  /** As the executor sees them, which is the stricter of the two. */
  function haveVariables({ document, operationName, variableValues }: ExecutionArgs): boolean {
    const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
    if (definitions.length === 0) return true;
    const { errors } = getVariableValues(schema, definitions, variableValues ?? {}, { maxErrors: 1 });
    return errors === undefined;
  }
}

/** Compiled code writes answers as object literals, in which one name is no field's. */
function namesPrototype(document: DocumentNode): boolean {
  let isNamed = false;
  visit(document, {
    Name({ value }) {
      isNamed ||= value === '__proto__';
    },
  });
  return isNamed;
}

/** With fragments in their places, as they are compiled. `limits.ts` has seen to it that they end. */
function countFields({ definitions }: DocumentNode): number {
  return definitions.reduce(
    (sum, definition) =>
      definition.kind === 'OperationDefinition' ? sum + countIn(definition.selectionSet) : sum,
    0,
  );

  function countIn({ selections }: SelectionSetNode): number {
    let count = 0;
    for (const selection of selections) {
      if (selection.kind === 'Field') count += 1;
      const inner = selection.kind === 'FragmentSpread' ? fragment(selection.name.value) : selection;
      if (inner?.selectionSet !== undefined) count += countIn(inner.selectionSet);
    }
    return count;
  }

  function fragment(name: string) {
    return definitions.find(
      (definition): definition is FragmentDefinitionNode =>
        definition.kind === 'FragmentDefinition' && definition.name.value === name,
    );
  }
}
