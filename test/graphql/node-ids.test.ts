import { type GraphQLObjectType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { schema } from '../../src/graphql/schema/schema.js';

const TYPES = Object.values(schema.getTypeMap()).filter(isObjectType);
const NODES = TYPES.filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'));

describe('the id of a node', () => {
  it.each(NODES.map((type) => [type.name, type]))('is there at once, not by a promise: %s', (name, type) => {
    expect(idOf(type, { id: 7 })).toBe(encodeGlobalId(name, 7));
  });

  // A shape that the schema must not get: its ids would need another way than the number of a row.
  it.each(NODES.map((type) => [type.name, type]))('is never made of anything but a number: %s', (_, type) => {
    expect(() => idOf(type, { id: 'seven' })).toThrow('a node is a row with a number');
    expect(() => idOf(type, Promise.resolve({ id: 7 }))).toThrow('a node is a row with a number');
  });
});

describe('the schema', () => {
  it('has no type that asks a rule of its own for each of its objects', () => {
    const ROOTS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];

    const asking = TYPES.filter((type) => !ROOTS.includes(type) && hasRule(type));

    expect(asking.map(({ name }) => name)).toEqual([]);
  });
});

function idOf(type: GraphQLObjectType, row: unknown): unknown {
  const { resolve } = type.getFields().id ?? {};
  return resolve?.(row, {}, { person: { kind: 'viewer' } }, {} as never);
}

function hasRule({ extensions }: GraphQLObjectType): boolean {
  const options: unknown = extensions.pothosOptions;
  return typeof options === 'object' && options !== null && 'authScopes' in options;
}
