import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { TOUR } from '../../src/graphql/server/graphiql-tour.js';
import { readText } from '../documents/documents.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { aSmallFleet } from '../support/small-fleet.js';

const schema = buildSchema(readText('schema.graphql'));

describe('the tour of GraphiQL', () => {
  it.each(TOUR)('has operations that the schema accepts: $query', ({ query, variables = '{}' }) => {
    expect(validate(schema, parse(query))).toEqual([]);
    expect(JSON.parse(variables)).toEqual(expect.any(Object));
    // A person sees first what it is for.
    expect(query).toMatch(/^# [A-Z].*[.?]\n/);
  });

  it.each(TOUR.filter(({ query }) => /^query/m.test(query)))('reads what it says: $query', async (stop) => {
    const endpoint = await aGraphQLEndpoint();
    await aSmallFleet(endpoint);

    const { errors, data } = await endpoint.send(stop.query, JSON.parse(stop.variables ?? '{}'));

    expect(errors).toEqual([]);
    expect(Object.values(data ?? {})).not.toContain(null);
  });
});
