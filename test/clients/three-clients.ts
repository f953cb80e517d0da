import { readFileSync } from 'node:fs';
import { ApolloClient, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { type ExecutionResult, fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { buildSchema, isInterfaceType } from 'graphql';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { commitMutation, fetchQuery, requestSubscription } from 'relay-runtime';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { DashboardOperation } from './dashboard-operations.js';
import { aRelayEnvironment } from './relay-environment.js';
import type { RelayProject } from './relay-project.js';

export type Variables = Record<string, unknown>;
export type Data = Record<string, unknown>;

/** A client library, doing what a dashboard does with it. */
export interface AnyClient {
  name: string;
  /** A query or mutation. @throws what the library makes of an answer with errors */
  run(operation: DashboardOperation, variables: Variables): Promise<Data>;
  /** Subscribes and hands over each event. @returns a function that ends it */
  follow(operation: DashboardOperation, variables: Variables, on: (data: Data) => void): () => void;
}

interface Place {
  url: string;
  webSocketUrl: string;
}

/** Relay wants the name of its module and of its kind in that of an operation; the linters of others forbid the latter. */
export function relayNameOf({ name, kind }: Pick<DashboardOperation, 'name' | 'kind'>): string {
  return `${name}${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

export function relayModulesOf(operations: readonly DashboardOperation[]): Record<string, string> {
  return Object.fromEntries(
    operations.map((operation) => {
      const { name, kind, text } = operation;
      return [name, text.replace(`${kind} ${name}`, `${kind} ${relayNameOf(operation)}`)];
    }),
  );
}

export function relayClient({ url }: Place, project: RelayProject): AnyClient {
  return {
    name: 'Relay',
    async run(operation, variables) {
      const environment = aRelayEnvironment(url);
      const request = project.request(relayNameOf(operation));
      if (operation.kind === 'query') {
        return (await fetchQuery(environment, request, variables).toPromise()) as Data;
      }
      const { jsonVariables, files } = apart(variables);
      return new Promise((resolve, reject) =>
        commitMutation(environment, {
          mutation: request,
          variables: jsonVariables,
          ...(Object.keys(files).length === 0 ? {} : { uploadables: files }),
          onCompleted: (data, errors) =>
            errors == null ? resolve(data as Data) : reject(new Error(JSON.stringify(errors))),
          onError: reject,
        }),
      );
    },
    follow(operation, variables, on) {
      const { dispose } = requestSubscription(aRelayEnvironment(url), {
        subscription: project.request(relayNameOf(operation)),
        variables,
        onNext: (data) => on(data as Data),
      });
      return dispose;
    },
  };
}

/** Without it Apollo Client does not know what a `Node` may be, and loses parts of answers. */
function possibleTypes(): Record<string, string[]> {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  return Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter(isInterfaceType)
      .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  );
}

export function apolloClient({ url, webSocketUrl }: Place): AnyClient {
  const socket = createWebSocketClient({ url: webSocketUrl, webSocketImpl: WebSocket });
  onTestFinished(async () => socket.dispose());
  const http = new UploadHttpLink({ uri: url, headers: { 'Apollo-Require-Preflight': 'true' } });
  const cache = new InMemoryCache({ possibleTypes: possibleTypes() });
  const client = new ApolloClient({ link: http, cache });
  const live = new ApolloClient({ link: new GraphQLWsLink(socket), cache });
  return {
    name: 'Apollo Client',
    async run({ kind, document }, variables) {
      const { data } =
        kind === 'query'
          ? await client.query<Data>({ query: document, variables, fetchPolicy: 'network-only' })
          : await client.mutate<Data>({ mutation: document, variables });
      if (data == null) throw new Error('an answer without data');
      return data as Data;
    },
    follow({ document }, variables, on) {
      const subscription = live.subscribe<Data>({ query: document, variables }).subscribe({
        next: ({ data }) => {
          if (data != null) on(data as Data);
        },
      });
      return () => subscription.unsubscribe();
    },
  };
}

export function urqlClient({ url, webSocketUrl }: Place): AnyClient {
  const socket = createWebSocketClient({ url: webSocketUrl, webSocketImpl: WebSocket });
  onTestFinished(async () => socket.dispose());
  const client = new UrqlClient({
    url,
    preferGetMethod: false,
    fetchOptions: { headers: { 'GraphQL-Require-Preflight': '1' } },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe<Data>(
              { query, variables: variables as Variables },
              { ...sink, next: (result) => sink.next(result as ExecutionResult) },
            ),
          }),
        }),
      }),
    ],
  });
  return {
    name: 'urql',
    async run({ kind, document }, variables) {
      const { data, error } =
        kind === 'query'
          ? await client.query<Data>(document, variables).toPromise()
          : await client.mutation<Data>(document, variables).toPromise();
      if (error !== undefined) throw error;
      if (data == null) throw new Error('an answer without data');
      return data;
    },
    follow({ document }, variables, on) {
      const { unsubscribe } = client.subscription<Data>(document, variables).subscribe(({ data }) => {
        if (data != null) on(data);
      });
      return unsubscribe;
    },
  };
}

/** Relay wants files beside the variables, by their path in them, and null in their place. */
function apart(variables: Variables): { jsonVariables: Variables; files: Record<string, File> } {
  const files: Record<string, File> = {};
  const visit = (value: unknown, path: string): unknown => {
    if (value instanceof File) {
      files[path] = value;
      return null;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, visit(part, `${path}.${key}`)]),
    );
  };
  return { jsonVariables: visit(variables, 'variables') as Variables, files };
}
