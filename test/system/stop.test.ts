import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { aDevice, eventually, stored } from '../support/app.js';
import { aFirmwareElf } from '../support/firmware.js';
import { aSocket, statusOf } from '../support/http.js';
import { aFolder, aProgram, type Program } from '../support/program.js';

const DUMP = 'a dump that comes in two halves';
const UPLOAD = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1';
const JSON_HEAD = 'Content-Type: application/json\r\n';
const RENAME = JSON.stringify({
  query: 'mutation { createDeviceModel(input: { code: "late", name: "Late" }) { deviceModel { code } } }',
});

describe('SIGTERM', () => {
  it('lets every kind of request in flight finish, tells new ones to come back, and ends with 0', async () => {
    const program = await aProgram('serve');
    await aDevice(program as never);
    const { coredumpId } = await stored(program, 'x'.repeat(1_000_000));
    const firmware = firmwareForm(aFirmwareElf({ version: '7.0.0' }));
    const slow = {
      upload: halfSent(program, `POST ${UPLOAD}`, '', DUMP),
      firmware: halfSent(program, 'POST /graphql', firmware.head, firmware.body),
      mutation: halfSent(program, 'POST /graphql', JSON_HEAD, RENAME),
      query: halfSent(program, 'POST /graphql', JSON_HEAD, '{"query":"{ devices { totalCount } }"}'),
    };
    const download = await aPausedDownload(program, coredumpId);
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => kept.destroy());
    await answerOf(program, '/healthz', kept);
    // What was written is on its way; this makes sure that it has been read as well.
    await eventually(
      async () => /^iot_upload_coredump_in_flight 1$/m.test((await answerOf(program, '/metrics')).text),
      'the upload is in flight',
    );

    const exited = program.stop('SIGTERM');
    await eventually(async () => (await answerOf(program, '/readyz')).status === 503, 'readiness fails');
    const turnedAway = [
      await answerOf(program, '/graphql?query={__typename}', kept),
      await answerOf(program, '/', undefined, { Accept: 'text/html' }),
      await answerOf(program, `/api/coredumps/${encodeURIComponent(coredumpId)}/download`),
      await answerOf(program, UPLOAD, undefined, {}, 'POST'),
    ];
    const alive = await answerOf(program, '/healthz');
    const answers = {
      upload: await slow.upload.finish(),
      firmware: await slow.firmware.finish(),
      mutation: await slow.mutation.finish(),
      query: await slow.query.finish(),
    };
    const downloaded = await download.finish();

    expect(turnedAway.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    for (const { headers } of turnedAway) {
      expect(headers['retry-after']).toMatch(/^\d+$/);
      expect(headers.connection).toBe('close');
    }
    expect(JSON.parse(turnedAway[0]?.text ?? '')).toMatchObject({
      errors: [{ extensions: { code: 'UNAVAILABLE' } }],
    });
    expect(JSON.parse(turnedAway[3]?.text ?? '')).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    expect(alive.status).toBe(200);
    expect(statusOf(answers.upload)).toBe(201);
    expect(answers.firmware).toContain('"version":"7.0.0"');
    expect(answers.mutation).toContain('"code":"late"');
    expect(answers.query).toContain('"totalCount":1');
    for (const answer of Object.values(answers)) expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    expect(downloaded).toBe(1_000_000);
    expect(await exited).toBe(0);

    const again = await aProgram('serve', { dir: program.dir });
    expect(
      await again.graphql(
        '{ coredumps { totalCount } deviceModel(code: "late") { name } thermostat: deviceModel(code: "thermostat") { firmwares { nodes { version } } } }',
      ),
    ).toEqual({
      coredumps: { totalCount: 2 },
      deviceModel: { name: 'Late' },
      thermostat: { firmwares: { nodes: [{ version: '7.0.0' }] } },
    });
  });

  it('lets a mutation over WebSocket finish, once, and says so', async () => {
    const program = await aProgram('serve');
    await aDevice(program as never);
    const client = aWsClient(program.url);
    const held = halfSent(program, `POST ${UPLOAD}`, '', DUMP);
    // The upload keeps the server; the mutation is asked for while it stops.
    await eventually(
      async () => /^iot_upload_coredump_in_flight 1$/m.test((await answerOf(program, '/metrics')).text),
      'the upload is in flight',
    );
    const events = client.iterate({ query: 'subscription { parseStatus { id } }' });
    void events.next();
    await eventually(
      async () => (await answerOf(program, '/metrics')).text.includes('coredump_event_subscribers 1'),
      'it is connected',
    );

    const exited = program.stop('SIGTERM');
    await eventually(async () => (await answerOf(program, '/readyz')).status === 503, 'readiness fails');
    const { query } = JSON.parse(RENAME);
    const results = [];
    for await (const result of client.iterate({ query })) results.push(result);
    await held.finish();

    expect(results).toEqual([{ data: { createDeviceModel: { deviceModel: { code: 'late' } } } }]);
    await client.dispose();
    expect(await exited).toBe(0);
  });

  it('leaves the whole database in its one file, which an operator may copy', async () => {
    const program = await aProgram('serve');
    await aDevice(program as never);
    expect(await program.stop('SIGTERM')).toBe(0);

    const copy = await aFolder();
    await mkdir(join(copy, 'data'));
    await copyFile(join(program.dir, 'data', 'coredock.db'), join(copy, 'data', 'coredock.db'));

    const again = await aProgram('serve', { dir: copy });
    expect(await again.graphql('{ devices { nodes { key } } }')).toEqual({
      devices: { nodes: [{ key: 'dev1' }] },
    });
  });

  it('waits no longer than the grace', async () => {
    const program = await aProgram('serve', { environment: { SHUTDOWN_GRACE_MS: '300' } });
    await aDevice(program as never);
    const endless = halfSent(program, `POST ${UPLOAD}`, '', DUMP);
    const trickle = halfSent(program, 'POST /graphql', JSON_HEAD, RENAME);

    expect(await program.stop('SIGTERM')).toBe(0);

    expect(statusOf(await endless.closed)).not.toBe(201);
    expect(statusOf(await trickle.closed)).not.toBe(200);
  });

  it('ends subscriptions so that their clients are subscribed again after the restart', async () => {
    const port = await aFreePort();
    const program = await aProgram('serve', { environment: { PORT: port } });
    await aDevice(program as never);
    const query = 'subscription { parseStatus { filename } }';
    const seen = { sse: [] as string[], ws: [] as string[] };
    const ended: string[] = [];
    const overSse = createSseClient({ url: `${program.url}/graphql` });
    const overWs = aWsClient(program.url);
    onTestFinished(() => overSse.dispose());
    for (const [name, client] of [
      ['sse', overSse],
      ['ws', overWs],
    ] as const) {
      client.subscribe<{ parseStatus: { filename: string } }>(
        { query },
        {
          next: ({ data }) => void seen[name].push(data?.parseStatus.filename ?? ''),
          error: (error) => void ended.push(`${name}: ${String(error)}`),
          complete: () => void ended.push(`${name}: complete`),
        },
      );
    }
    const bothFollow = (at: Program) =>
      eventually(
        async () => (await answerOf(at, '/metrics')).text.includes('coredump_event_subscribers 2'),
        'both are subscribed',
      );
    await bothFollow(program);
    const before = await stored(program, 'before');
    await eventually(async () => seen.sse.length + seen.ws.length === 2, 'both have seen it');

    expect(await program.stop('SIGTERM')).toBe(0);
    const again = await aProgram('serve', { dir: program.dir, environment: { PORT: port } });
    await bothFollow(again);
    const after = await stored(again, 'after');
    await eventually(async () => seen.sse.length + seen.ws.length === 4, 'both have seen it');

    expect(ended).toEqual([]);
    const filenames = [before.filename, after.filename];
    expect(seen).toEqual({ sse: filenames, ws: filenames });
  });

  it('lets event streams go on until the last request has ended, and then without the word that ends them', async () => {
    const program = await aProgram('serve');
    await aDevice(program as never);
    const stream = aSocket(program.url);
    stream.send(
      'GET /graphql?query=subscription{parseStatus{filename}} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n',
    );
    await eventually(
      async () => (await answerOf(program, '/metrics')).text.includes('coredump_event_subscribers 1'),
      'it is subscribed',
    );
    const upload = halfSent(program, `POST ${UPLOAD}`, '', DUMP);
    await eventually(
      async () => /^iot_upload_coredump_in_flight 1$/m.test((await answerOf(program, '/metrics')).text),
      'the upload is in flight',
    );

    const exited = program.stop('SIGTERM');
    await eventually(async () => (await answerOf(program, '/readyz')).status === 503, 'readiness fails');
    const late = aSocket(program.url);
    late.send(
      'GET /graphql?query=subscription{parseStatus{filename}} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n',
    );
    const answer = await upload.finish();
    await exited;

    const { filename } = JSON.parse(answer.slice(answer.indexOf('{')));
    const text = await stream.closed;
    expect(text).toContain(filename);
    expect(text).not.toContain('event: complete');
    // Chunks with their proper end: no proxy in between takes it for a fault.
    expect(text).toMatch(/\r\n0\r\n\r\n$/);
    // A browser would give up a stream that is answered by an error, but not one whose connection ends.
    expect(await late.closed).toBe('');
  });
});

/** A request of which all but the second half of its body has been sent. */
function halfSent({ url }: Program, requestLine: string, head: string, body: string | Buffer) {
  const bytes = Buffer.from(body);
  const middle = Math.floor(bytes.length / 2);
  const { send, closed } = aSocket(url);
  send(`${requestLine} HTTP/1.1\r\nHost: localhost\r\n${head}Content-Length: ${bytes.length}\r\n\r\n`);
  send(bytes.subarray(0, middle));
  return {
    closed,
    finish(): Promise<string> {
      send(bytes.subarray(middle));
      return closed;
    },
  };
}

function firmwareForm(elf: Buffer): { head: string; body: Buffer } {
  const query =
    'mutation ($f: Upload!) { uploadFirmware(input: { modelCode: "thermostat", bundle: $f }) { firmware { version } } }';
  const field = (name: string, text: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  return {
    head: 'Content-Type: multipart/form-data; boundary=b\r\n',
    body: Buffer.concat([
      Buffer.from(
        `${field('operations', JSON.stringify({ query, variables: { f: null } }))}${field('map', '{"0":["variables.f"]}')}` +
          '--b\r\nContent-Disposition: form-data; name="0"; filename="f.elf"\r\n\r\n',
      ),
      elf,
      Buffer.from('\r\n--b--\r\n'),
    ]),
  };
}

/** Its head is there, its bytes are not all taken. */
async function aPausedDownload({ url }: Program, coredumpId: string) {
  const asked = request(`${url}/api/coredumps/${encodeURIComponent(coredumpId)}/download`, { agent: false });
  asked.end();
  const [response]: IncomingMessage[] = await once(asked, 'response');
  return {
    async finish(): Promise<number> {
      let size = 0;
      for await (const chunk of response ?? []) size += chunk.length;
      return size;
    },
  };
}

async function answerOf(
  { url }: Program,
  path: string,
  agent?: Agent,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const asked = request(`${url}${path}`, { agent: agent ?? false, headers, method });
  asked.end();
  const [response]: IncomingMessage[] = await once(asked, 'response');
  if (response === undefined) throw new Error('no answer');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

function aWsClient(url: string) {
  const client = createWsClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    // Else it gives up when nobody listens yet, as docs/api.md says.
    shouldRetry: () => true,
  });
  // A connection that is being made when the test ends fails here.
  onTestFinished(async () => void (await Promise.resolve(client.dispose()).catch(() => {})));
  return client;
}

async function aFreePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}
