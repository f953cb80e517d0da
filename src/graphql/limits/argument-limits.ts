import type { OperationDefinitionNode, ValueNode } from 'graphql';

/** The limit that a query exceeds. */
export interface Excess {
  limit:
    | 'characters'
    | 'lines'
    | 'tokens'
    | 'depth'
    | 'aliases'
    | 'directives'
    | 'fields'
    | 'cost'
    | 'pageSize'
    | 'listLength'
    | 'objectKeys'
    | 'nesting'
    | 'values'
    | 'answerBytes'
    | 'answerBytesInFlight'
    | 'waitingAnswers';
  max: number;
  message: string;
}

/** Values of a list in arguments and variables. Longer filters get slower, and SQLite binds at most 32,766 values. */
const MAX_LIST_LENGTH = 200;
/**
 * Keys of an object in variables. The widest input type has less than half of them, and the error for each unknown key repeats
 * the whole object.
 */
const MAX_OBJECT_KEYS = 50;
/** Nesting of objects and lists in variables; the deepest input type has three levels. */
const MAX_VARIABLE_NESTING = 10;

export function tooMuch(limit: Excess['limit'], max: number, message: string): Excess {
  return { limit, max, message };
}

/** Reads what sizes depend on: whole numbers, texts and the keys of objects. Validation checks the rest. */
export function valueReader(
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): (value: ValueNode) => unknown {
  return function read(value: ValueNode): unknown {
    switch (value.kind) {
      case 'IntValue':
        return Number(value.value);
      case 'ObjectValue':
        return Object.fromEntries(value.fields.map((field) => [field.name.value, read(field.value)]));
      case 'Variable': {
        const name = value.name.value;
        if (Object.hasOwn(variables, name)) return variables[name];
        const fallback = variableDefinitions.find(
          ({ variable }) => variable.name.value === name,
        )?.defaultValue;
        return fallback === undefined ? undefined : read(fallback);
      }
      case 'ListValue':
        return value.values.map(read);
      case 'NullValue':
        return null;
      case 'StringValue':
      case 'EnumValue':
        return value.value;
      default:
        return undefined;
    }
  };
}

export function excessOfLiteral(value: ValueNode): Excess | null {
  const parts =
    value.kind === 'ListValue'
      ? value.values
      : value.kind === 'ObjectValue'
        ? value.fields.map((field) => field.value)
        : [];
  if (value.kind === 'ListValue' && parts.length > MAX_LIST_LENGTH) return tooLong(parts.length);
  for (const part of parts) {
    const excess = excessOfLiteral(part);
    if (excess !== null) return excess;
  }
  return null;
}

/** Uses an explicit stack, because JSON can nest deeper than the call stack allows. */
export function excessOfVariables(variables: object): Excess | null {
  const open: Array<{ value: unknown; depth: number }> = [{ value: variables, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > MAX_VARIABLE_NESTING) {
      return tooMuch(
        'nesting',
        MAX_VARIABLE_NESTING,
        `Variables nest at most ${MAX_VARIABLE_NESTING} objects and lists in each other; these nest more.`,
      );
    }
    // An upload is a promise, which has no values of its own.
    const parts: unknown[] = Object.values(value);
    if (Array.isArray(value)) {
      if (parts.length > MAX_LIST_LENGTH) return tooLong(parts.length);
    } else if (parts.length > MAX_OBJECT_KEYS) {
      return tooMuch(
        'objectKeys',
        MAX_OBJECT_KEYS,
        `An object has at most ${MAX_OBJECT_KEYS} keys; ${parts.length} were given.`,
      );
    }
    for (const part of parts) open.push({ value: part, depth: depth + 1 });
  }
  return null;
}

function tooLong(length: number): Excess {
  return tooMuch(
    'listLength',
    MAX_LIST_LENGTH,
    `A list has at most ${MAX_LIST_LENGTH} values; ${length} were given.`,
  );
}
