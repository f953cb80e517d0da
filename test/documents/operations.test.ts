import { buildSchema, type DocumentNode, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { CURRENT, readText } from './documents.js';

const schema = buildSchema(readText('schema.graphql'));

const EXAMPLES = CURRENT.flatMap(({ path, text }) =>
  [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, example = '']) => ({ path, example })),
);

it('has examples to check', () => {
  expect(EXAMPLES.length).toBeGreaterThan(3);
});

it.each(EXAMPLES)('$path: an example that the schema accepts: $example', ({ example }) => {
  expect(
    operationsIn(example)
      .flatMap((operation) => validate(schema, operation))
      .map(String),
  ).toEqual([]);
});

/** A block may show several anonymous operations; each begins a line. */
function operationsIn(text: string): DocumentNode[] {
  return text.split(/\n(?=query|mutation|subscription|\{)/).map((operation) => parse(operation));
}
