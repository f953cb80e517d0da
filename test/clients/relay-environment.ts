import { createClient as createSseClient } from 'graphql-sse';
import {
  Environment,
  type FetchFunction,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  Store,
  type SubscribeFunction,
} from 'relay-runtime';
import { onTestFinished } from 'vitest';

/** Relay with the network layer of its guide: POST for queries, multipart for files, SSE for subscriptions. */
export function aRelayEnvironment(url: string, { headers = {} as Record<string, string> } = {}): Environment {
  const sse = createSseClient({ url, headers, retryAttempts: 0 });
  onTestFinished(() => sse.dispose());

  const fetchFn: FetchFunction = async ({ text: query }, variables, _cache, uploadables) => {
    const operation = JSON.stringify({ query, variables });
    const accept = { Accept: 'application/graphql-response+json, application/json;q=0.9', ...headers };
    const response =
      uploadables == null
        ? await fetch(url, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', ...accept },
            body: operation,
          })
        : await fetch(url, {
            method: 'POST',
            headers: { 'GraphQL-Require-Preflight': '1', ...accept },
            body: multipart(operation, uploadables),
          });
    return response.json();
  };

  const subscribeFn: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) =>
      sse.subscribe(
        { query: text ?? '', variables },
        {
          next: (result) => sink.next(result as GraphQLResponse),
          error: (error) => sink.error(error instanceof Error ? error : new Error(JSON.stringify(error))),
          complete: () => sink.complete(),
        },
      ),
    );

  return new Environment({
    network: Network.create(fetchFn, subscribeFn),
    store: new Store(new RecordSource()),
  });
}

/** As the specification of multipart requests has it; `uploadables` by their path in the variables. */
function multipart(operation: string, uploadables: Readonly<Record<string, Blob>>): FormData {
  const form = new FormData();
  const entries = Object.entries(uploadables);
  form.append('operations', operation);
  form.append('map', JSON.stringify(Object.fromEntries(entries.map(([path], index) => [index, [path]]))));
  for (const [index, [, file]] of entries.entries()) form.append(String(index), file);
  return form;
}
