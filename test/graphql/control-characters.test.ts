import { createClient } from 'graphql-ws';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

const CREATE =
  'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { name } } }';
const input = (name: string) => ({ input: { code: 'pump', name } });

it.each([
  ['Pump\u0000s', 'U+0000', 5],
  ['\u001b[31mred', 'U+001B', 1],
  ['a\u0007', 'U+0007', 2],
  ['a\u007f', 'U+007F', 2],
  ['a\u0085b', 'U+0085', 2],
  ['a\ud800b', 'U+D800', 2],
])('a control character is refused by its name and place: %j', async (name, character, position) => {
  const endpoint = await aGraphQLEndpoint();

  const byVariable = await endpoint.send(CREATE, input(name));
  const inDocument = await endpoint.send(
    `mutation { createDeviceModel(input: { code: "pump", name: ${JSON.stringify(name).replaceAll('\u007f', '\\u007f').replaceAll('\u0085', '\\u0085')} }) { deviceModel { name } } }`,
  );

  expect(byVariable.errors).toMatchObject([
    {
      message: `"input.name" has the control character ${character} at position ${position}: leave it out.`,
      extensions: { code: 'BAD_USER_INPUT' },
    },
  ]);
  // Half a character is a syntax error already.
  expect(inDocument.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(await endpoint.db.deviceModel.count()).toBe(0);
});

it('a control character is refused in filters, lists and over WebSocket as well', async () => {
  const endpoint = await aGraphQLEndpoint();
  const client = createClient({ url: endpoint.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  onTestFinished(() => void client.dispose());

  const filter = await endpoint.send('query ($f: CoredumpFilter) { coredumps(filter: $f) { totalCount } }', {
    f: { deviceKey: ['fine', 'a\u0000b'] },
  });
  const id = await endpoint.send('{ device(key: "a\\u0000b") { id } }');
  const overWebSocket = client.iterate({ query: CREATE, variables: input('a\u0000b') }).next();

  expect(filter.errors).toMatchObject([{ message: expect.stringContaining('"f.deviceKey.1"') }]);
  expect(id.errors).toMatchObject([
    { message: expect.stringContaining('"key" has the control character U+0000') },
  ]);
  await expect(overWebSocket).rejects.toMatchObject([{ message: expect.stringContaining('U+0000') }]);
  expect(await endpoint.db.deviceModel.count()).toBe(0);
});

it('a name is on one line; a note has lines', async () => {
  const endpoint = await aGraphQLEndpoint();

  expect((await endpoint.send(CREATE, input('a\nb'))).errors).toMatchObject([
    { message: expect.stringContaining('one line') },
  ]);
  expect((await endpoint.send(CREATE, input('Größe 💀'))).errors).toEqual([]);
});
