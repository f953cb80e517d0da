import {
  type ASTNode,
  BREAK,
  coerceInputValue,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  isInputType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import { REQUEST_ERROR } from '../limits/document-limits.js';

/*
 * Which input is wrong? `extensions.field` of an error is its path from the arguments of the field: `input.key`,
 * `filter.search`, `first`. Services name it for what they refuse; this file finds it for what graphql refuses.
 */

/** Errors of a request's variables; graphql's validation reports as many. */
const MAX_ERRORS = 20;

/** The errors of an operation's variables, each with the input that it is about. */
export function errorsOfVariables({
  schema,
  document,
  operation,
  variables,
}: {
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  variables: Record<string, unknown>;
}): GraphQLError[] {
  const definitions = operation.variableDefinitions ?? [];
  const { errors } = getVariableValues(schema, definitions, variables, { maxErrors: MAX_ERRORS });
  if (errors === undefined) return [];
  const fields = definitions.flatMap((definition) => fieldsOf(definition));
  return errors.map((error, index) => {
    const field = fields[index];
    return withExtensions(error, { http: REQUEST_ERROR, ...(field == null ? {} : { field }) });
  });

  /** One for each error of the variable, in the order of graphql's errors, whose paths are only in their texts. */
  function fieldsOf({ variable, type: node, defaultValue }: VariableDefinitionNode): Array<string | null> {
    const name = variable.name.value;
    const type = typeFromAST(schema, node);
    if (!isInputType(type)) return [null];
    const place = placeOf(document, name);
    if (!Object.hasOwn(variables, name)) {
      return defaultValue === undefined && node.kind === Kind.NON_NULL_TYPE ? [place] : [];
    }
    if (variables[name] === null && node.kind === Kind.NON_NULL_TYPE) return [place];
    const fields: Array<string | null> = [];
    coerceInputValue(variables[name], type, (path, _, { message }) => {
      fields.push(place === null ? null : [place, ...path, ...missingIn(message)].join('.'));
    });
    return fields;
  }
}

/** The same error of validation with the input that it is about, if it is about one. */
export function withField(error: GraphQLError, document: DocumentNode): GraphQLError {
  const [node] = error.nodes ?? [];
  if (node === undefined) return error;
  // An unknown member is located at itself.
  const missing = node.kind === Kind.OBJECT_FIELD ? [] : missingIn(error.message);
  const path = pathTo(document, (visited) => visited === node);
  if (path === null || path.length + missing.length === 0) return error;
  return withExtensions(error, { field: [...path, ...missing].join('.') });
}

/** The first place where a variable is used. */
function placeOf(document: DocumentNode, variable: string): string | null {
  const path = pathTo(
    document,
    (node, parent) =>
      node.kind === Kind.VARIABLE &&
      node.name.value === variable &&
      parent?.kind !== Kind.VARIABLE_DEFINITION,
  );
  return path === null || path.length === 0 ? null : path.join('.');
}

/** The path of the first such node from the arguments of its field; empty outside of arguments. */
function pathTo(
  document: DocumentNode,
  isIt: (node: ASTNode, parent: ASTNode | undefined) => boolean,
): Array<string | number> | null {
  let found: Array<string | number> | null = null;
  const open: ASTNode[] = [];
  visit(document, {
    enter(node) {
      if (isIt(node, open.at(-1))) {
        found = pathOf([...open, node]);
        return BREAK;
      }
      open.push(node);
      return undefined;
    },
    leave() {
      open.pop();
    },
  });
  return found;
}

/** @param nodes from the document to one of its nodes */
function pathOf(nodes: readonly ASTNode[]): Array<string | number> {
  const from = nodes.findLastIndex(({ kind }) => kind === Kind.ARGUMENT);
  if (from < 0 || nodes.some(({ kind }) => kind === Kind.DIRECTIVE)) return [];
  return nodes.slice(from).flatMap((node, index, inside): Array<string | number> => {
    if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) return [node.name.value];
    const list = inside[index - 1];
    const items: readonly ASTNode[] = list?.kind === Kind.LIST ? list.values : [];
    return items.includes(node) ? [items.indexOf(node)] : [];
  });
}

/**
 * The name at the end of the path, where the error is about something that is not there or not known: such an error is
 * located at the object around it. graphql begins the text with the name, before anything that a client wrote.
 */
function missingIn(message: string): string[] {
  const [, field] =
    /^Field "(?:\w+\.)?(\w+)" (?:of required type|is not defined by type)/.exec(message) ??
    /^Field "\w+" argument "(\w+)" of type "[^"]+" is required/.exec(message) ??
    [];
  return field === undefined ? [] : [field];
}

function withExtensions(error: GraphQLError, extensions: object): GraphQLError {
  const { message, nodes, source, positions, path, originalError } = error;
  return new GraphQLError(message, {
    ...{ nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null },
    originalError: originalError ?? null,
    extensions: { ...error.extensions, ...extensions },
  });
}
