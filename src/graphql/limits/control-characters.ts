import { type DocumentNode, GraphQLError, visit } from 'graphql';

/** Control characters except tab and line ends, which notes contain; unpaired surrogates, which no database stores. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|\p{Cs}/u;

/** Results for documents, because clients send the same documents repeatedly. */
const known = new WeakMap<DocumentNode, GraphQLError | null>();

/**
 * Refuses text that stores and terminals handle differently: SQLite cuts it at U+0000, PostgreSQL refuses it, and
 * terminals execute control sequences.
 *
 * @returns the error, which names the argument and the character; null when the arguments have none
 */
export function refusalOfText(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
): GraphQLError | null {
  return refusalOfLiterals(document) ?? refusalOfVariables(variables);
}

function refusalOfLiterals(document: DocumentNode): GraphQLError | null {
  const before = known.get(document);
  if (before !== undefined) return before;
  let refusal: GraphQLError | null = null;
  const names: string[] = [];
  const inside = {
    enter: ({ name }: { name: { value: string } }) => void names.push(name.value),
    leave: () => void names.pop(),
  };
  visit(document, {
    Argument: inside,
    ObjectField: inside,
    StringValue({ value }) {
      refusal ??= refusalOf(value, names.join('.'));
    },
  });
  known.set(document, refusal);
  return refusal;
}

function refusalOfVariables(variables: Readonly<Record<string, unknown>>): GraphQLError | null {
  const open: Array<{ value: unknown; path: string }> = [{ value: variables, path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (typeof value === 'string') {
      const refusal = refusalOf(value, path);
      if (refusal !== null) return refusal;
    }
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, part] of Object.entries(value)) {
      open.push({ value: part, path: path === '' ? key : `${path}.${key}` });
    }
  }
  return null;
}

function refusalOf(text: string, path: string): GraphQLError | null {
  const found = FORBIDDEN.exec(text);
  if (found === null) return null;
  const number = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return new GraphQLError(
    `"${path}" has the control character U+${number} at position ${found.index + 1}: leave it out.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}
