import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp, upload } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';
import { filesOf, rowCount } from '../support/stored-dumps.js';

const PATH = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1';

async function expectNothingStored(app: TestApp): Promise<void> {
  await eventually(async () => (await filesOf(app)).length === 0, 'no file is left');
  expect(await rowCount(app)).toBe(0);
}

describe('upload', () => {
  it('stores the bytes under the device and answers with the name and id that GraphQL knows', async () => {
    const app = await aServer();
    await aDevice(app);
    const bytes = Buffer.from('not a real dump, but bytes are bytes');

    const answer = await stored(app, bytes);

    expect(answer.status).toBe('ok');
    expect(answer.filename).toMatch(/^coredump_\d{8}T\d{6}_\d{6}Z\.dmp$/);
    expect(await readFile(join(app.config.coredumpsDir, 'dev1', answer.filename))).toEqual(bytes);
    const { coredump } = await app.graphql<{ coredump: object }>(
      'query ($id: ID!) { coredump(id: $id) { id filename size chip firmwareVersion parseStatus device { key } } }',
      { id: answer.coredumpId },
    );
    expect(coredump).toEqual({
      id: answer.coredumpId,
      filename: answer.filename,
      size: bytes.length,
      chip: 'esp32c3',
      firmwareVersion: '1.0.0',
      parseStatus: 'PENDING',
      device: { key: 'dev1' },
    });
  });

  it('takes what devices send for what it is, whatever its content type says', async () => {
    const app = await aServer();
    await aDevice(app);
    const bodies = {
      'text/plain': 'hello',
      'application/json': '{"a":1}',
      'application/x-www-form-urlencoded': 'a\0b',
    };

    for (const [type, body] of Object.entries(bodies)) {
      const { filename } = await stored(app, body, { headers: { 'Content-Type': type } });

      expect(await readFile(join(app.config.coredumpsDir, 'dev1', filename), 'utf8')).toBe(body);
    }
  });

  it.each([
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nhello\r\n--x--\r\n',
    ],
    ['application/x-www-form-urlencoded', Buffer.from([0xb4, 0x24, 2, 1, 0x2c, 1, 0x7f, 0x45, 0x4c, 0x46])],
  ])('refuses what a form made of the dump and says how to send it: %s', async (type, body) => {
    const app = await aServer();
    await aDevice(app);

    const response = await fetch(
      `${app.url}/api/iot/coredump?device_key=dev1&chip=esp32c3&firmware_version=1.0.0`,
      { method: 'POST', headers: { 'Content-Type': type }, body },
    );

    expect(await errorOf(response)).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: expect.stringContaining('--data-binary'),
    });
    expect(await readdir(join(app.config.coredumpsDir, 'dev1')).catch(() => [])).toEqual([]);
  });

  it('knows a device by its token', async () => {
    const app = await aServer();
    const { token } = await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    const url = `${app.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`;
    const post = (query: string, authorization: string) =>
      fetch(`${url}${query}`, {
        method: 'POST',
        headers: { authorization },
        body: `dump ${query}${authorization}`,
      });

    expect((await post('', `Bearer ${token}`)).status).toBe(201);
    expect((await post('&device_key=dev1', `Bearer ${token}`)).status).toBe(201);
    expect((await post('&device_key=dev2', `Bearer ${token}`)).status).toBe(403);
    expect((await post('', 'Bearer wrong')).status).toBe(401);
    expect((await post('', 'Basic eDp5')).status).toBe(401);
  });

  describe('refuses, with nothing left behind,', () => {
    it.each([
      ['a missing chip', 'firmware_version=1&device_key=dev1', 400, 'chip'],
      ['a missing version', 'chip=esp32&device_key=dev1', 400, 'firmware_version'],
      ['a missing device', 'chip=esp32&firmware_version=1', 400, 'device_key'],
      ['an unknown device', 'chip=esp32&firmware_version=1&device_key=nobody', 404, 'nobody'],
      ['a malformed device', 'chip=esp32&firmware_version=1&device_key=DEV-1', 400, 'device_key'],
      ['a chip given twice', 'chip=esp32&chip=esp32s3&firmware_version=1&device_key=dev1', 400, 'chip'],
      ['a path as version', 'chip=esp32&firmware_version=../../x&device_key=dev1', 400, 'firmware_version'],
      ['an escaped path', 'chip=esp32&firmware_version=%2e%2e&device_key=dev1', 400, 'firmware_version'],
      ['a path as chip', 'chip=..%2f..%2fx&firmware_version=1&device_key=dev1', 400, 'chip'],
      ['a NUL', 'chip=esp32%00&firmware_version=1&device_key=dev1', 400, 'chip'],
      ['a line break', 'chip=esp32&firmware_version=1%0d%0aX:1&device_key=dev1', 400, 'firmware_version'],
      [
        '10 kB of version',
        `chip=esp32&firmware_version=${'9'.repeat(10_000)}&device_key=dev1`,
        400,
        'firmware_version',
      ],
      ['an empty version', 'chip=esp32&firmware_version=&device_key=dev1', 400, 'firmware_version'],
    ])('%s', async (_, query, status, mentions) => {
      const app = await aServer();
      await aDevice(app);

      const response = await fetch(`${app.url}/api/iot/coredump?${query}`, { method: 'POST', body: 'dump' });
      const error = await errorOf(response);

      expect(error.status).toBe(status);
      expect(error.message).toContain(mentions);
      await expectNothingStored(app);
    });

    it('an empty body', async () => {
      const app = await aServer();
      await aDevice(app);

      expect(await errorOf(await upload(app, ''))).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' });
      await expectNothingStored(app);
    });

    it('anything but POST', async () => {
      const app = await aServer();

      const response = await fetch(`${app.url}${PATH}`);

      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
    });

    it.each([
      ['no Content-Length and no chunks', 'X: 1', ''],
      ['a Content-Length of 0', 'Content-Length: 0', ''],
      ['a Content-Length that is no number', 'Content-Length: ten', '0123456789'],
      ['a negative Content-Length', 'Content-Length: -1', '0123456789'],
      ['a Content-Length that is too short', 'Content-Length: 4', '0123456789'],
      [
        'Content-Length and chunks together',
        'Content-Length: 4\r\nTransfer-Encoding: chunked',
        '4\r\ndump\r\n0\r\n\r\n',
      ],
      ['chunks that are none', 'Transfer-Encoding: chunked', 'no chunk size\r\n'],
    ])('%s', async (_, header, body) => {
      const app = await aServer();
      await aDevice(app);
      const { send, closed, socket } = aSocket(app.url);

      send(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n\r\n${body}`);
      const answer = await closed;
      socket.destroy();

      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('"error":{"code":"BAD_USER_INPUT"');
      await expectNothingStored(app);
    });

    it('a body that ends before its Content-Length', async () => {
      const app = await aServer();
      await aDevice(app);
      const { send, socket, closed } = aSocket(app.url);

      send(
        `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n${'only this'.repeat(40_000)}`,
      );
      await eventually(async () => (await filesOf(app)).length > 0, 'the upload has begun');
      socket.end();
      await closed;

      await expectNothingStored(app);
    });

    it('a body that stalls, after its period', async () => {
      const app = await aServer({ UPLOAD_STALL_MS: '200' });
      await aDevice(app);
      const { send, closed } = aSocket(app.url);

      send(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this`);
      const answer = await closed;

      expect(statusOf(answer)).toBe(408);
      expect(answer).toContain('BODY_STALLED');
      await expectNothingStored(app);
    });

    it('a body that trickles', async () => {
      const app = await aServer({ UPLOAD_STALL_MS: '300' });
      await aDevice(app);
      const { send, closed, socket } = aSocket(app.url);
      send(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n`);
      const trickle = setInterval(() => socket.writable && send('x'), 20);

      const answer = await closed;
      clearInterval(trickle);

      expect(statusOf(answer)).toBe(408);
      await expectNothingStored(app);
    });

    it('a body that is not what its Content-Encoding says', async () => {
      const app = await aServer();
      await aDevice(app);

      const lie = await upload(app, 'not gzip at all', { headers: { 'Content-Encoding': 'gzip' } });
      const half = await upload(app, gzipSync('x'.repeat(10_000)).subarray(0, 20), {
        headers: { 'Content-Encoding': 'gzip' },
      });
      const unknown = await upload(app, 'x', { headers: { 'Content-Encoding': 'br' } });

      for (const response of [lie, half, unknown]) expect((await errorOf(response)).status).toBe(400);
      await expectNothingStored(app);
    });
  });

  describe('limit', () => {
    it('takes a body of exactly the limit and refuses one byte more', async () => {
      const app = await aServer({ MAX_COREDUMP_BYTES: '100000' });
      await aDevice(app);

      const fits = await upload(app, Buffer.alloc(100_000, 1));
      const over = await upload(app, Buffer.alloc(100_001, 2));

      expect(fits.status).toBe(201);
      expect(await errorOf(over)).toMatchObject({ status: 413, code: 'TOO_LARGE' });
      expect(await filesOf(app)).toHaveLength(1);
    });

    it('cuts an endless chunked body at the limit', async () => {
      const app = await aServer({ MAX_COREDUMP_BYTES: '100000' });
      await aDevice(app);
      let written = 0;

      const status = await new Promise<number>((resolve, reject) => {
        const client = request(`${app.url}${PATH}`, { method: 'POST' }, (response) => {
          resolve(response.statusCode ?? 0);
          client.destroy();
        });
        client.on('error', reject);
        const chunk = Buffer.alloc(16_384);
        const more = () => {
          if (client.destroyed) return;
          written += chunk.length;
          client.write(chunk, () => setImmediate(more));
        };
        more();
      });

      expect(status).toBe(413);
      // What the server did not read stands in the sockets' buffers, which hold a few MB.
      expect(written).toBeLessThan(50_000_000);
      await expectNothingStored(app);
    });

    it('stops inflating a gzip bomb at the limit', async () => {
      const app = await aServer({ MAX_COREDUMP_BYTES: '100000' });
      await aDevice(app);
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));

      const response = await upload(app, bomb, { headers: { 'Content-Encoding': 'gzip' } });

      expect(await errorOf(response)).toMatchObject({ status: 413 });
      await expectNothingStored(app);
    });

    it('stores a gzipped dump as the raw bytes that it is', async () => {
      const app = await aServer();
      await aDevice(app);

      const { filename } = await stored(app, gzipSync('the dump'), {
        headers: { 'Content-Encoding': 'gzip' },
      });

      expect(await readFile(join(app.config.coredumpsDir, 'dev1', filename), 'utf8')).toBe('the dump');
    });
  });
});
