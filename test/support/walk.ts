import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** One field of the schema, and an operation that asks for it. */
export interface AskedField {
  /** "Device.coredumps" */
  name: string;
  operation: 'query' | 'mutation' | 'subscription';
  /** Of the root field through which it is reached. */
  root: string;
  document: string;
  /** It has the variable `$upload`, which only a multipart request can fill. */
  needsUpload: boolean;
}

type Reached = Omit<AskedField, 'name' | 'document' | 'needsUpload'> & { wrap: (inner: string) => string };

/**
 * Every field of every object type that a client can reach, each by the shortest way from a root, and each type of an
 * interface through it as well: what is added to the schema is in it by itself.
 *
 * @param values what arguments get by their name or type; others get something of their type
 * @param through the only root field to begin with; all of them when left out
 */
export function everyField(
  schema: GraphQLSchema,
  values: Record<string, string> = {},
  through?: string,
): AskedField[] {
  const asked: AskedField[] = [];
  const seen = new Set<string>();
  const waiting: Array<{ type: GraphQLObjectType; reached: Reached | null }> = [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ].flatMap((type) => (type == null ? [] : [{ type, reached: null }]));

  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { type, reached } = next;
    if (seen.has(type.name)) continue;
    seen.add(type.name);
    for (const field of Object.values(type.getFields())) {
      if (reached === null && through !== undefined && field.name !== through) continue;
      const way: Reached = reached ?? {
        operation: operationOf(schema, type),
        root: field.name,
        wrap: (inner) => inner,
      };
      const named = getNamedType(field.type);
      const call = `${field.name}${argumentsOf(field, values)}`;
      const ask = (selection: string) => {
        const text = `${way.operation}UPLOAD { ${way.wrap(`${call}${selection}`)} }`;
        const needsUpload = text.includes('$upload');
        return { document: text.replace('UPLOAD', needsUpload ? ' ($upload: Upload!)' : ''), needsUpload };
      };
      const isComposite = isObjectType(named) || isAbstractType(named);
      asked.push({
        ...ask(isComposite ? ' { __typename }' : ''),
        name: `${type.name}.${field.name}`,
        operation: way.operation,
        root: way.root,
      });
      const enter = (inner: GraphQLObjectType, open: string, close: string) =>
        waiting.push({
          type: inner,
          reached: { ...way, wrap: (text) => way.wrap(`${call} ${open} ${text} ${close}`) },
        });
      if (isObjectType(named)) enter(named, '{', '}');
      if (isAbstractType(named)) {
        for (const possible of schema.getPossibleTypes(named)) {
          asked.push({
            ...ask(` { ... on ${possible.name} { __typename } }`),
            name: `${type.name}.${field.name} as ${possible.name}`,
            operation: way.operation,
            root: way.root,
          });
          enter(possible, `{ ... on ${possible.name} {`, '} }');
        }
      }
    }
  }
  return asked;
}

function operationOf(schema: GraphQLSchema, type: GraphQLObjectType): AskedField['operation'] {
  if (type === schema.getMutationType()) return 'mutation';
  return type === schema.getSubscriptionType() ? 'subscription' : 'query';
}

function argumentsOf(field: GraphQLField<unknown, unknown>, values: Record<string, string>): string {
  const required = field.args.filter(({ type, name }) => isNonNullType(type) || name in values);
  if (required.length === 0) return '';
  return `(${required.map((argument) => `${argument.name}: ${literalFor(argument, values)}`).join(', ')})`;
}

function literalFor(
  { name, type }: GraphQLArgument | GraphQLInputField,
  values: Record<string, string>,
): string {
  return values[name] ?? literalOf(type, values);
}

function literalOf(type: GraphQLInputType, values: Record<string, string>): string {
  if (isNonNullType(type)) return literalOf(type.ofType, values);
  if (isListType(type)) return `[${literalOf(type.ofType, values)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${fields.map((field) => `${field.name}: ${literalFor(field, values)}`).join(', ')} }`;
  }
  if (type.name in values) return values[type.name] ?? '';
  switch (type.name) {
    case 'Int':
    case 'Float':
      return '1';
    case 'Boolean':
      return 'true';
    case 'DateTime':
      return '"2026-01-01T00:00:00Z"';
    case 'Upload':
      return '$upload';
    default:
      return '"x"';
  }
}
