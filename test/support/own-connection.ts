/**
 * `fetch` on a connection of its own. On a machine that stood still for seconds, the server closes an idle connection just
 * when it is used again; what else breaks is a failure.
 */
export function fetchAlone(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('Connection', 'close');
  return fetch(url, { ...init, headers });
}

/** Runs a GraphQL document on a connection of its own. Rejects when the answer has errors. */
export async function askAlone<Data>(
  server: { readonly url: string },
  query: string,
  { variables = {}, token }: { variables?: object | undefined; token?: string | undefined } = {},
): Promise<Data> {
  const response = await fetchAlone(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown[] };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}
