import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
import { ErrorLink } from '@apollo/client/link/error';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, type TestApp } from '../support/app.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

const DEVICES = gql`query Devices($first: Int) { devices(first: $first) { totalCount } }`;
const DEVICES_AND_AUDIT = gql`
  query DevicesAndAudit { devices { totalCount } auditEvents { nodes { id } } }
`;

/** What an application sees that has an error link, as the guide of Apollo Client has it. */
function aClient(app: TestApp, token: string) {
  const seen: object[] = [];
  const errors = new ErrorLink(({ error }) => {
    if (CombinedGraphQLErrors.is(error)) {
      for (const { extensions } of error.errors) seen.push({ ...extensions });
    } else seen.push({ code: `none in a ${error.name}` });
  });
  const http = new HttpLink({ uri: `${app.url}/graphql`, headers: bearer(token) });
  const client = new ApolloClient({ link: ApolloLink.from([errors, http]), cache: new InMemoryCache() });
  return { client, seen };
}

async function codesOf(app: TestApp, token: string, variables = {}) {
  const { client, seen } = aClient(app, token);
  await client.query({ query: DEVICES, variables }).catch(() => {});
  return seen.map((extensions) => ('code' in extensions ? extensions.code : null));
}

describe('the error link of Apollo Client sees the code of', () => {
  it('401: a wrong token', async () => {
    expect(await codesOf(await aServer(STATIC_TOKENS), 'wrong')).toEqual(['UNAUTHENTICATED']);
  });

  it('403: a device', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);

    expect(await codesOf(app, token)).toEqual(['FORBIDDEN']);
  });

  it('429: too many wrong tokens', async () => {
    const app = await aServer({ ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '1' });
    await codesOf(app, 'wrong');

    expect(await codesOf(app, 'wrong as well')).toEqual(['RATE_LIMITED']);
  });

  it('503: an issuer that does not answer, with the id of the line in the log', async () => {
    const issuer = await anOidcProvider([]);
    const token = await issuer.sign({ exp: inSeconds(60), realm_access: { roles: ['viewer'] } });
    await issuer.stop();
    const { client, seen } = aClient(await aServer(issuer.environment), token);

    await client.query({ query: DEVICES }).catch(() => {});

    expect(seen).toEqual([{ code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) }]);
  });

  it('400: a variable that is none, with its name', async () => {
    const { client, seen } = aClient(await aServer(STATIC_TOKENS), VIEWER);

    await client.query({ query: DEVICES, variables: { first: 'many' } }).catch(() => {});

    expect(seen).toMatchObject([{ code: 'BAD_USER_INPUT', field: 'first' }]);
  });
});

it('Apollo Client gets what a viewer may see beside what is forbidden', async () => {
  const { client } = aClient(await aServer(STATIC_TOKENS), VIEWER);

  const { data, error } = await client.query({ query: DEVICES_AND_AUDIT, errorPolicy: 'all' });

  expect(data).toMatchObject({ devices: { totalCount: 0 }, auditEvents: null });
  expect(CombinedGraphQLErrors.is(error) ? error.errors : error).toMatchObject([
    { path: ['auditEvents'], extensions: { code: 'FORBIDDEN' } },
  ]);
});
