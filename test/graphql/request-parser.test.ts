import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { aFirmwareElf } from '../support/firmware.js';
import { aGraphQLEndpoint, answerOf, type GraphQLEndpoint } from '../support/graphql-server.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const MUTATION =
  'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { id } } }';
const UPLOAD = `mutation ($bundle: Upload!, $model: String!) {
  uploadFirmware(input: { modelCode: $model, bundle: $bundle }) {
    firmware { version elfSha256 size model { code } }
  }
}`;

describe('a request', () => {
  it('is answered when it is JSON, and when it is a query by GET', async () => {
    const { url } = await aGraphQLEndpoint();

    const posted = await fetch(url, { method: 'POST', headers: JSON_TYPE, body: '{"query":"{__typename}"}' });
    const got = await fetch(`${url}?query=${encodeURIComponent('{__typename}')}`);

    expect(await posted.json()).toEqual({ data: { __typename: 'Query' } });
    expect(await got.json()).toEqual({ data: { __typename: 'Query' } });
  });

  it('shows GraphiQL to browsers, with nothing from elsewhere in it', async () => {
    const { url } = await aGraphQLEndpoint();

    const response = await fetch(url, { headers: { Accept: 'text/html' } });
    const page = await response.text();

    expect(response.headers.get('content-type')).toContain('text/html');
    expect(page).toContain('GraphiQL');
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
  });

  it.each<[string, RequestInit, number]>([
    ['no JSON', { headers: JSON_TYPE, body: '{"query":' }, 400],
    ['JSON, but no object', { headers: JSON_TYPE, body: '"query"' }, 400],
    ['empty', { headers: JSON_TYPE, body: '' }, 400],
    // GraphQL over HTTP: an answer of the type application/json is 200 when the body was well-formed JSON.
    ['without a query', { headers: JSON_TYPE, body: '{}' }, 200],
    ['several at once', { headers: JSON_TYPE, body: '[{"query":"{__typename}"}]' }, 400],
    [
      'larger than 128 KiB',
      { headers: JSON_TYPE, body: `{"query":"{a}","x":"${'x'.repeat(1 << 17)}"}` },
      413,
    ],
    ['much larger', { headers: JSON_TYPE, body: `{"query":"{a}","x":"${'x'.repeat(3 << 20)}"}` }, 413],
    ['text', { headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify({ query: MUTATION }) }, 415],
    ['a bare document', { headers: { 'Content-Type': 'application/graphql' }, body: MUTATION }, 415],
    ['a web form', { body: new URLSearchParams({ query: MUTATION }) }, 415],
    ['of no type', { body: new Uint8Array(Buffer.from(JSON.stringify({ query: MUTATION }))) }, 415],
  ])('is refused when its body is %s', async (_, init, status) => {
    const endpoint = await aGraphQLEndpoint();

    const answer = await answerOf(await fetch(endpoint.url, { method: 'POST', ...init }));

    expect(answer.status).toBe(status);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(await endpoint.db.deviceModel.count()).toBe(0);
  });

  it('cannot change anything by GET', async () => {
    const endpoint = await aGraphQLEndpoint();

    const answer = await answerOf(await fetch(`${endpoint.url}?query=${encodeURIComponent(MUTATION)}`));

    expect(answer.status).toBe(405);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(await endpoint.db.deviceModel.count()).toBe(0);
  });

  it('is read no further than it may be long, whatever its head says', async () => {
    const { url } = await aGraphQLEndpoint();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\nContent-Length: 2000000000\r\n\r\n`,
    );
    let sent = 0;
    const write = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, ' '))) sent += 65_536;
    };
    socket.on('drain', write);
    write();

    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('\r\n\r\n')) resolve(text);
      });
      socket.on('close', () => resolve(text));
    });
    socket.destroy();

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(sent).toBeLessThan(20_000_000);
  });
});

describe('a firmware upload', () => {
  it('comes as a GraphQL multipart request, as curl sends it', async () => {
    const endpoint = await anEndpointWithModel();

    const answer = await send(endpoint, aForm({ file: aFirmwareElf({ version: '1.2.3' }) }));

    expect(answer.errors).toEqual([]);
    expect(answer.data).toMatchObject({
      uploadFirmware: { firmware: { version: '1.2.3', model: { code: 'thermostat' } } },
    });
  });

  it('is taken from our own pages, and refused from another site’s', async () => {
    const endpoint = await anEndpointWithModel();
    const own = new URL(endpoint.url).origin;

    const ours = await send(endpoint, aForm({ file: aFirmwareElf() }), { Origin: own });
    const theirs = await send(endpoint, aForm({ file: aFirmwareElf({ version: '6.6.6' }) }), {
      Origin: 'https://evil.example',
    });
    const hidden = await send(endpoint, aForm({ file: aFirmwareElf({ version: '6.6.6' }) }), {
      Origin: 'null',
    });

    expect(ours.errors).toEqual([]);
    expect([theirs.status, hidden.status]).toEqual([403, 403]);
    expect(await endpoint.db.firmware.count()).toBe(1);
  });

  it('is refused when it is larger than the limit, and nothing of it stays', async () => {
    const endpoint = await anEndpointWithModel({ maxFirmwareBytes: 100_000 });
    const large = Buffer.concat([aFirmwareElf(), Buffer.alloc(200_000)]);

    const answer = await send(endpoint, aForm({ file: large }));

    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining('100'), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(await endpoint.db.firmware.count()).toBe(0);
  });

  it('may have exactly as many bytes as the limit says, and not one more', async () => {
    const elf = aFirmwareElf({ version: '2.0.0' });
    const endpoint = await anEndpointWithModel({ maxFirmwareBytes: elf.length });

    const exact = await send(endpoint, aForm({ file: elf }));
    const larger = await send(
      endpoint,
      aForm({ file: Buffer.concat([aFirmwareElf({ version: '2.0.1' }), Buffer.alloc(1)]) }),
    );

    expect(exact.errors).toEqual([]);
    expect(larger.errors).toMatchObject([{ message: expect.stringContaining('MAX_FIRMWARE_BYTES') }]);
    expect(await endpoint.db.firmware.count()).toBe(1);
  });

  it('is answered also when nobody reads the file', async () => {
    const endpoint = await anEndpointWithModel({ maxFirmwareBytes: 64 * 1024 * 1024 });
    const file = Buffer.alloc(20_000_000);

    const unknownModel = await send(endpoint, aForm({ file, model: 'nothing' }));
    const noMutation = await send(endpoint, aForm({ file, query: '{ __typename }' }));

    expect(unknownModel.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(noMutation.data).toEqual({ __typename: 'Query' });
  });

  it.each<[string, (form: FormData) => void]>([
    ['has no map', (form) => form.delete('map')],
    ['has operations that are no JSON', (form) => form.set('operations', '{')],
    ['has a map that is no JSON', (form) => form.set('map', '{')],
    ['maps the file to nowhere', (form) => form.set('map', '{"0":["query.bundle.x"]}')],
    ['maps two files', (form) => form.set('map', '{"0":["variables.bundle"],"1":["variables.model"]}')],
    ['has no file', (form) => form.delete('0')],
    ['has operations as large as a bundle', (form) => form.set('operations', 'x'.repeat(100_000))],
  ])('is the sender’s fault when the form %s', async (_, spoil) => {
    const endpoint = await anEndpointWithModel();
    const form = aForm({ file: aFirmwareElf() });
    spoil(form);

    const answer = await send(endpoint, form);

    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(endpoint.logged).toEqual([]);
  });

  it('is the sender’s fault when the form has no boundary, or ends early', async () => {
    const endpoint = await anEndpointWithModel();
    const bodies = [
      ['multipart/form-data', 'x'],
      ['multipart/form-data; x=1', 'x'],
      [
        'multipart/form-data; boundary=b',
        '--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":',
      ],
    ] as const;

    for (const [type, body] of bodies) {
      const init = {
        method: 'POST',
        headers: { 'Content-Type': type },
        body: new Uint8Array(Buffer.from(body)),
      };
      const answer = await answerOf(await fetch(endpoint.url, init));
      expect(answer, type).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
    }
  });

  it('is none when the bundle is text', async () => {
    const endpoint = await anEndpointWithModel();

    const answer = await endpoint.send(UPLOAD, { bundle: 'text', model: 'thermostat' });

    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

function aForm({
  file,
  model = 'thermostat',
  query = UPLOAD,
}: {
  file: Buffer;
  model?: string;
  query?: string;
}) {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { model, bundle: null } }));
  form.set('map', '{"0":["variables.bundle"]}');
  form.set('0', new Blob([new Uint8Array(file)]), 'firmware.elf');
  return form;
}

async function send({ url }: GraphQLEndpoint, form: FormData, headers: Record<string, string> = {}) {
  return answerOf(await fetch(url, { method: 'POST', body: form, headers }));
}

async function anEndpointWithModel(options: { maxFirmwareBytes?: number } = {}) {
  const endpoint = await aGraphQLEndpoint(options);
  await endpoint.fleet.aModel({ code: 'thermostat' });
  return endpoint;
}
