import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { aSocket } from '../support/http.js';

const MIB = 1024 * 1024;

describe('an answer that nobody reads', () => {
  it('is cut, be it a download', { timeout: 60_000 }, async () => {
    const app = await aServer({ ANSWER_STALL_MS: '200', MAX_COREDUMP_BYTES: String(32 * MIB) });
    await aDevice(app);
    const { coredumpId } = await stored(app, Buffer.alloc(32 * MIB, 1));

    const received = await unread(app, get(`/api/coredumps/${coredumpId}/download`));

    expect(received).toBeLessThan(32 * MIB);
    expect(await slowReaders(app)).toBe(1);
  });

  it('is cut, be it many answers on one connection', { timeout: 60_000 }, async () => {
    const app = await aServer({ ANSWER_STALL_MS: '200' });
    const query = encodeURIComponent(
      '{ __schema { types { name description fields { name description } } } }',
    );

    await unread(app, get(`/graphql?query=${query}`).repeat(2_000));

    expect(await slowReaders(app)).toBeGreaterThan(0);
  });

  it('is not cut while its reader takes some of it now and then', { timeout: 60_000 }, async () => {
    const app = await aServer({ ANSWER_STALL_MS: '2000', MAX_COREDUMP_BYTES: String(16 * MIB) });
    await aDevice(app);
    const { coredumpId } = await stored(app, Buffer.alloc(16 * MIB, 1));
    const { socket, send } = aSocket(app.url);
    let received = 0;
    socket.on('data', (text: string) => {
      received += text.length;
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    });

    send(get(`/api/coredumps/${coredumpId}/download`));
    await eventually(async () => received > 16 * MIB, 'all of it');

    expect(await slowReaders(app)).toBe(0);
  });
});

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

/** Sends, and reads nothing until the server has given it up. @returns bytes that came all the same */
async function unread(app: TestApp, request: string): Promise<number> {
  const { socket, send, closed } = aSocket(app.url);
  socket.pause();
  send(request);
  await eventually(async () => (await slowReaders(app)) > 0, 'the reader to be cut');
  socket.resume();
  return (await closed).length;
}

async function slowReaders({ url }: TestApp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^http_slow_readers_total (\d+)$/m.exec(text)?.[1]);
}
