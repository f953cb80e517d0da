import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { breakingChanges, deprecationsWithoutDate, undescribedPlaces } from '../../src/tools/schema-rules.js';

const TODAY = '2026-11-28';

const breaking = (released: string, current: string) =>
  breakingChanges(buildSchema(released), buildSchema(current), TODAY);

describe('changes against the schema of the last release', () => {
  it.each([
    ['a field is gone', 'type Query { a: Int b: Int }', 'type Query { a: Int }', 'b'],
    ['a field became nullable', 'type Query { a: Int! }', 'type Query { a: Int }', 'a'],
    ['a type changed', 'type Query { a: Int }', 'type Query { a: Float }', 'a'],
    ['an argument is required now', 'type Query { a(x: Int): Int }', 'type Query { a(x: Int!): Int }', 'x'],
    ['an enum value is gone', 'enum E { A B } type Query { e: E }', 'enum E { A } type Query { e: E }', 'B'],
    [
      'an input field is required now',
      'input I { a: Int } type Query { q(i: I): Int }',
      'input I { a: Int b: Int! } type Query { q(i: I): Int }',
      'b',
    ],
    ['a type is gone', 'type T { a: Int } type Query { t: T a: Int }', 'type Query { a: Int }', 'T'],
    [
      'a type of which clients know only fragments is gone',
      'interface N { id: ID } type A implements N { id: ID } type B implements N { id: ID } type Query { n: N }',
      'interface N { id: ID } type A implements N { id: ID } type Query { n: N }',
      'B',
    ],
  ])('%s: refused', async (_, released, current, named) => {
    const found = await breaking(released, current);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join()).toContain(named);
  });

  it('accepts additions: fields, optional arguments, enum values, types', async () => {
    const current = 'enum E { A B } type T { a: Int } type Query { a(x: Int): Int e: E t: T }';
    expect(await breaking('enum E { A } type Query { a: Int e: E }', current)).toEqual([]);
  });

  const deprecated = (reason: string) =>
    `type T { a: Int } type Query { a: Int old: T @deprecated(reason: "${reason}") }`;

  it('accepts the removal of what was deprecated in time, with the types that only it used', async () => {
    const released = deprecated('Use a. To be removed after 2026-11-27.');
    expect(await breaking(released, 'type Query { a: Int }')).toEqual([]);
  });

  it.each([
    ['before its date', 'Use a. To be removed after 2026-11-28.'],
    ['without a date', 'Use a.'],
  ])('refuses a removal %s', async (_, reason) => {
    expect(await breaking(deprecated(reason), 'type Query { a: Int }')).toHaveLength(2);
  });

  it('refuses the removal of a type that is used elsewhere too', async () => {
    const released = `
      type T { a: Int }
      type Query { a: Int t: T old: T @deprecated(reason: "Use t. To be removed after 2026-01-01.") }`;
    expect(await breaking(released, 'type Query { a: Int }')).not.toEqual([]);
  });
});

it('finds every place without a description', () => {
  const schema = buildSchema(`
    "D" type Query { "D" a("D" x: Int, y: I): Int b: E }
    input I { z: Int }
    "D" enum E { "D" A B }`);
  expect(undescribedPlaces(schema)).toEqual(['E.B', 'I', 'I.z', 'Query.a(y:)', 'Query.b']);
});

it('finds deprecations that do not say when they end', () => {
  const schema = buildSchema(`
    type Query {
      a: Int @deprecated(reason: "Use b.")
      b(x: Int @deprecated(reason: "Not needed. To be removed after 2027-01-31.")): Int
    }`);
  expect(deprecationsWithoutDate(schema)).toEqual(['Query.a']);
});
