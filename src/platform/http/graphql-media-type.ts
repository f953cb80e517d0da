/** The type of GraphQL over HTTP whose statuses say whether the request was an operation at all. */
const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/**
 * The type of a GraphQL answer in JSON, by the request's `Accept` header.
 *
 * @returns null when the client wants neither of the two
 */
export function graphqlMediaType(accept: string): string | null {
  for (const part of accept.split(',')) {
    const type = part.split(';')[0]?.trim().toLowerCase();
    if (type === GRAPHQL_RESPONSE) return GRAPHQL_RESPONSE;
    if (type === 'application/json' || type === 'application/*' || type === '*/*') return 'application/json';
  }
  return null;
}
