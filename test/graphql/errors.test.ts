import { describe, expect, it } from 'vitest';
import { DomainError, type DomainErrorCode } from '../../src/errors.js';
import { createErrorMask } from '../../src/graphql/server/error-mask.js';
import { createLogger } from '../../src/platform/logger.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

describe('an error', () => {
  it.each([
    ['syntax', '{ devices('],
    ['an unknown field', '{ nothing }'],
    ['a missing argument', '{ device { id } }'],
    ['a wrong argument', '{ devices(first: "x") { totalCount } }'],
    ['a number beyond Int', '{ devices(first: 1e9) { totalCount } }'],
    ['a negative page', '{ deviceModels(first: -1) { totalCount } }'],
    ['a cursor of nobody', '{ coredumps(after: "abc") { totalCount } }'],
    ['a node of no type', `{ node(id: "${Buffer.from('Nothing:1').toString('base64')}") { id } }`],
    ['an id that is none', '{ node(id: "💥") { id } }'],
    ['two operations without a name', 'query A { __typename } query B { __typename }'],
  ])('in the request is BAD_USER_INPUT: %s', async (_, query) => {
    const endpoint = await aGraphQLEndpoint();
    let answer: Awaited<ReturnType<typeof endpoint.send>> | undefined;

    const statements = await endpoint.statementsOf(async () => {
      answer = await endpoint.send(query);
    });

    expect(answer?.errors.length).toBeGreaterThan(0);
    expect(answer?.errors.map(({ extensions }) => extensions.code)).toEqual(
      answer?.errors.map(() => 'BAD_USER_INPUT'),
    );
    expect(statements).toEqual([]);
    expect(endpoint.logged).toEqual([]);
  });

  it.each([
    ['a page that is too large', '{ devices(first: 201) { totalCount } }'],
    ['circular fragments', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
  ])('in the size of the request is QUERY_TOO_COMPLEX: %s', async (_, query) => {
    const endpoint = await aGraphQLEndpoint();
    let answer: Awaited<ReturnType<typeof endpoint.send>> | undefined;

    const statements = await endpoint.statementsOf(async () => {
      answer = await endpoint.send(query);
    });

    expect(answer?.errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
    expect(statements).toEqual([]);
  });

  it('in the variables is BAD_USER_INPUT', async () => {
    const { send } = await aGraphQLEndpoint({ queriesApart: true });

    const { errors } = await send('query ($first: Int) { devices(first: $first) { totalCount } }', {
      first: 'many',
    });

    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('says QUERY_TOO_COMPLEX, and says it at once, when a document has too many tokens', async () => {
    const { send } = await aGraphQLEndpoint({ queriesApart: true });

    const { errors } = await send(`{ ${'__typename '.repeat(5_000)} }`);

    expect(errors).toMatchObject([
      { message: expect.stringContaining('2000 tokens'), extensions: { code: 'QUERY_TOO_COMPLEX' } },
    ]);
  });

  it('of a broken database is masked, and found again in the log by its request id', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    await endpoint.breakDatabase();

    const { data, errors } = await endpoint.send('{ coredumps { nodes { id } } }');

    expect(data).toEqual({ coredumps: null });
    const [error] = errors;
    expect(error?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
    expect(JSON.stringify(errors)).not.toMatch(/SELECT|table|sqlite|prisma|\/|stack/i);
    expect(error?.extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(endpoint.logged.map(({ requestId }) => requestId)).toContain(error?.extensions.requestId);
    expect(JSON.stringify(endpoint.logged)).toMatch(/no such table|relation .* does not exist/);
  });

  it('of one field leaves the others', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'pump' }), { key: 'dev1' });
    await endpoint.breakDatabase();

    const { data, errors } = await endpoint.send('{ device(key: "dev1") { key lastCoredump { id } } }');

    expect(data).toEqual({ device: { key: 'dev1', lastCoredump: null } });
    expect(errors).toMatchObject([{ path: ['device', 'lastCoredump'] }]);
  });

  const codes: Array<[DomainErrorCode, string]> = [
    ['BAD_USER_INPUT', 'BAD_USER_INPUT'],
    ['TOO_LARGE', 'BAD_USER_INPUT'],
    ['BODY_STALLED', 'BAD_USER_INPUT'],
    ['BODY_ABORTED', 'BAD_USER_INPUT'],
    ['NOT_FOUND', 'NOT_FOUND'],
    ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    ['FORBIDDEN', 'FORBIDDEN'],
    ['CONFLICT', 'CONFLICT'],
    ['PARSER_NOT_CONFIGURED', 'PARSER_NOT_CONFIGURED'],
    ['UNAVAILABLE', 'INTERNAL_SERVER_ERROR'],
    ['STORAGE_FULL', 'INTERNAL_SERVER_ERROR'],
  ];
  it.each(codes)('of the services, %s, is shown as %s', (code, shown) => {
    const mask = createErrorMask(createLogger({ logLevel: 'silent' }));

    const error = mask(new DomainError(code, 'What to do.'), 'request-1');

    expect(error).toMatchObject({ message: 'What to do.', extensions: { code: shown } });
  });

  it('that is a bug says nothing of itself', () => {
    const mask = createErrorMask(createLogger({ logLevel: 'silent' }));

    const error = mask(new TypeError('x of undefined at /srv/coredock/secret.js'), 'request-1');

    expect(error.toJSON()).toEqual({
      message: 'Unexpected error.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' },
    });
    expect(error.originalError).toBeUndefined();
  });
});
