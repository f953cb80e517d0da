import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql';
import { createRandomArguments, type Values } from './random-arguments.js';

/** One way to ask: those of one document differ, and must not be taken for each other. */
export interface Asking {
  operationName: string;
  variables: Record<string, unknown>;
}

export interface RandomDocument {
  query: string;
  askings: Asking[];
}

const MAX_DEPTH = 5;
const MAX_SELECTIONS = 4;
const MAX_FRAGMENTS = 5;
/** Below what the server refuses. */
const MAX_DIRECTIVES = 40;
const MAX_ALIASES = 25;
const ASKINGS = 3;
/** Some documents are not valid: under one name they ask two types for what does not go together. */
const MAX_TRIES = 100;

/**
 * A valid document: fragments that are spread in several places, directives on whatever may have one, aliases,
 * interfaces, one or two operations, literals and variables. All of it follows from `random`.
 */
export function randomDocument(
  schema: GraphQLSchema,
  kind: 'query' | 'subscription',
  values: Values,
  random: () => number,
): RandomDocument {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const made = makeDocument(schema, kind, values, random);
    if (validate(schema, parse(made.query)).length === 0) return made;
  }
  throw new Error('no document was valid');
}

interface Fragment {
  name: string;
  on: string;
  text: string;
}

function makeDocument(
  schema: GraphQLSchema,
  kind: 'query' | 'subscription',
  values: Values,
  random: () => number,
): RandomDocument {
  const args = createRandomArguments(values, random);
  const fragments: Fragment[] = [];
  /** A field without an alias has the same arguments wherever it stands, else the document would not be valid. */
  const calls = new Map<string, string>();
  const aliased = new Map<string, string[]>();
  let fragmentsBegun = 0;
  let aliases = 0;
  let directives = 0;

  const root = schema.getRootType(
    kind === 'query' ? OperationTypeNode.QUERY : OperationTypeNode.SUBSCRIPTION,
  );
  if (!isObjectType(root)) throw new Error(`the schema has no ${kind}`);
  const bodies = Array.from({ length: random() < 0.2 ? 2 : 1 }, () =>
    // A subscription is one field, which is always there.
    kind === 'query' ? selections(root, MAX_DEPTH) : `{ ${field(root, MAX_DEPTH, '')} }`,
  );
  const parts = bodies.map((body) => [body, ...spreadIn(body)]);
  const operations = parts.map(
    (texts, index) => `${kind} Q${index + 1}${args.declarations(texts)} ${texts[0]}`,
  );
  const used = new Set(bodies.flatMap(spreadIn));
  const query = [...operations, ...fragments.map(({ text }) => text).filter((text) => used.has(text))].join(
    '\n',
  );
  return {
    query,
    askings: Array.from({ length: ASKINGS }, () => {
      const index = Math.floor(random() * parts.length);
      return { operationName: `Q${index + 1}`, variables: args.given(parts[index] ?? []) };
    }),
  };

  function selections(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + Math.floor(random() * MAX_SELECTIONS);
    return `{ ${Array.from({ length: count }, () => selection(type, depth)).join(' ')} }`;
  }

  function selection(type: GraphQLCompositeType, depth: number): string {
    const dice = random();
    if (dice < 0.05) return `__typename${directive()}`;
    if (dice < 0.35 && depth > 0) return dice < 0.17 ? inlineFragment(type, depth) : spread(type, depth);
    return field(type, depth);
  }

  function inlineFragment(type: GraphQLCompositeType, depth: number): string {
    const on = pick(meetingOf(type));
    const condition = on === type && random() < 0.3 ? '' : ` on ${on.name}`;
    return `...${condition}${directive()} ${selections(on, depth - 1)}`;
  }

  /** Of one that there is already, more often than not: what is spread once is no trouble to anybody. */
  function spread(type: GraphQLCompositeType, depth: number): string {
    const on = pick(meetingOf(type));
    const known = fragments.filter((fragment) => fragment.on === on.name);
    const again = known.length > 0 && random() < 0.7 ? pick(known) : undefined;
    if (again !== undefined) return `...${again.name}${directive()}`;
    if (fragmentsBegun === MAX_FRAGMENTS) return field(type, depth);
    const name = `F${++fragmentsBegun}`;
    const text = `fragment ${name} on ${on.name} ${selections(on, depth - 1)}`;
    fragments.push({ name, on: on.name, text });
    return `...${name}${directive()}`;
  }

  function field(type: GraphQLCompositeType, depth: number, directives = directive()): string {
    const all = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const possible = all.filter(({ type: of }) => depth > 0 || !isCompositeType(getNamedType(of)));
    const wanted = possible.length === 0 ? undefined : pick(possible);
    if (wanted === undefined) return `__typename${directives}`;
    const of = getNamedType(wanted.type);
    const inner = isCompositeType(of) ? ` ${selections(of, depth - 1)}` : '';
    return `${call(type.name, wanted)}${directives}${inner}`;
  }

  function call(type: string, { name, args: of }: GraphQLField<unknown, unknown>): string {
    const key = `${type}.${name}`;
    const known = aliased.get(key) ?? [];
    if (known.length > 0 && random() < 0.3) return pick(known);
    if (aliases < MAX_ALIASES && random() < 0.2) {
      const text = `a${++aliases}: ${name}${args.of(of)}`;
      aliased.set(key, [...known, text]);
      return text;
    }
    const text = calls.get(key) ?? `${name}${args.of(of)}`;
    calls.set(key, text);
    return text;
  }

  function directive(): string {
    // Those of a fragment count wherever it is spread.
    if (directives === MAX_DIRECTIVES || random() < 0.75) return '';
    directives += 1;
    return ` ${args.directive()}`;
  }

  /** Types of which something can be where one of `type` is. */
  function meetingOf(type: GraphQLCompositeType): GraphQLCompositeType[] {
    if (isInterfaceType(type)) return [type, ...schema.getPossibleTypes(type)];
    return isObjectType(type) ? [type, type, ...type.getInterfaces()] : [type];
  }

  /** Texts of the fragments that a text spreads, and of those that they spread. */
  function spreadIn(text: string): string[] {
    return [...text.matchAll(/\.\.\.(F\d+)/g)].flatMap(([, name]) => {
      const fragment = fragments.find((candidate) => candidate.name === name);
      return fragment === undefined ? [] : [fragment.text, ...spreadIn(fragment.text)];
    });
  }

  function pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  }
}
