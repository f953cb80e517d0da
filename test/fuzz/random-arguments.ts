import {
  type GraphQLArgument,
  GraphQLBoolean,
  type GraphQLInputType,
  GraphQLNonNull,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

/** What arguments may be given, by their names or else their types, as JSON. */
export type Values = Readonly<Record<string, readonly unknown[]>>;

interface Variable {
  /** The argument, or the field of an input object, that it stands for. */
  name: string;
  type: GraphQLInputType;
  /** A literal. */
  fallback: string | null;
}

export type RandomArguments = ReturnType<typeof createRandomArguments>;

/**
 * Arguments of one document as text: literals, variables, and literals with variables in them, each of which is given,
 * null or left out wherever the schema lets it.
 */
export function createRandomArguments(values: Values, random: () => number) {
  const variables = new Map<string, Variable>();

  return {
    /** "(first: 2, filter: { chip: $v1 })", or nothing. */
    of(args: readonly GraphQLArgument[]): string {
      const chosen = args.filter(({ type, name }) => isNonNullType(type) || random() < chanceOf(name));
      // Both ends of a page at once are an error, which says nothing about the rest.
      const hasFirst = chosen.some(({ name }) => name === 'first');
      const texts = chosen
        .filter(({ name }) => !(hasFirst && name === 'last' && random() < 0.9))
        .map(({ name, type }) => `${name}: ${literal(name, type)}`);
      return texts.length === 0 ? '' : `(${texts.join(', ')})`;
    },

    /** "@include(if: $v1)" */
    directive(): string {
      const condition = random() < 0.3 ? String(random() < 0.5) : aVariable('if', BOOLEAN);
      return `@${random() < 0.5 ? 'include' : 'skip'}(if: ${condition})`;
    },

    /** "($v1: Int, $v2: Boolean! = true)", of those that the texts name. */
    declarations(texts: readonly string[]): string {
      const named = namedIn(texts);
      if (named.length === 0) return '';
      return `(${named
        .map(([name, { type, fallback }]) => `$${name}: ${type}${fallback === null ? '' : ` = ${fallback}`}`)
        .join(', ')})`;
    },

    /** Values for them, other ones each time. */
    given(texts: readonly string[]): Record<string, unknown> {
      const given: Record<string, unknown> = {};
      for (const [key, { name, type, fallback }] of namedIn(texts)) {
        const mayBeLeftOut = !isNonNullType(type) || fallback !== null;
        if (mayBeLeftOut && random() < 0.5) continue;
        given[key] = !isNonNullType(type) && random() < 0.2 ? null : json(name, type);
      }
      return given;
    },
  };

  function namedIn(texts: readonly string[]): Array<[string, Variable]> {
    const names = new Set(texts.flatMap((text) => [...text.matchAll(/\$(\w+)/g)].map(([, name]) => name)));
    return [...variables].filter(([name]) => names.has(name));
  }

  function literal(name: string, type: GraphQLInputType): string {
    if (random() < 0.4) return aVariable(name, type);
    if (isNonNullType(type)) return literalOf(name, getNullableType(type));
    return random() < 0.08 ? 'null' : literalOf(name, type);
  }

  function literalOf(name: string, type: GraphQLInputType): string {
    if (isListType(type)) {
      const items = some(3, () => literal(name, type.ofType));
      return items.length === 1 && random() < 0.5 ? String(items[0]) : `[${items.join(', ')}]`;
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type) || random() < 0.3)
        .map((field) => `${field.name}: ${literal(field.name, field.type)}`);
      return `{ ${fields.join(', ')} }`;
    }
    const value = json(name, type);
    return isEnumType(type) ? String(value) : JSON.stringify(value);
  }

  /** The same one again now and then, where it fits. */
  function aVariable(name: string, type: GraphQLInputType): string {
    const fitting = [...variables].filter(([, known]) => known.name === name && known.type === type);
    const again = fitting.length > 0 && random() < 0.6 ? pick(fitting) : undefined;
    if (again !== undefined) return `$${again[0]}`;
    const key = `v${variables.size + 1}`;
    const hasFallback = random() < 0.3;
    // A variable that may be null can stand where null may not, if it has a default.
    const isLoose = isNonNullType(type) && hasFallback && random() < 0.5;
    variables.set(key, {
      name,
      type: isLoose ? getNullableType(type) : type,
      fallback: hasFallback ? constant(name, getNullableType(type)) : null,
    });
    return `$${key}`;
  }

  function constant(name: string, type: GraphQLInputType): string {
    if (isListType(type))
      return `[${some(2, () => constant(name, getNullableType(type.ofType))).join(', ')}]`;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type) || random() < 0.2)
        .map((field) => `${field.name}: ${constant(field.name, getNullableType(field.type))}`);
      return `{ ${fields.join(', ')} }`;
    }
    const value = json(name, type);
    return isEnumType(type) ? String(value) : JSON.stringify(value);
  }

  function json(name: string, given: GraphQLInputType): unknown {
    const type = getNullableType(given);
    if (isListType(type)) return some(3, () => json(name, type.ofType));
    if (isInputObjectType(type)) {
      return Object.fromEntries(
        Object.values(type.getFields())
          .filter((field) => isNonNullType(field.type) || random() < 0.3)
          .map((field) => [
            field.name,
            !isNonNullType(field.type) && random() < 0.1 ? null : json(field.name, field.type),
          ]),
      );
    }
    if (isEnumType(type)) return pick(type.getValues()).name;
    const known = values[name] ?? values[type.name];
    if (known === undefined) throw new Error(`there is no value for ${name}: ${type}`);
    return pick(known);
  }

  function some<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  }

  function pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  }
}

const BOOLEAN = new GraphQLNonNull(GraphQLBoolean);

function chanceOf(name: string): number {
  return name === 'after' || name === 'before' ? 0.1 : 0.45;
}
