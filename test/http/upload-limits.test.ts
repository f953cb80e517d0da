import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp, upload } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';
import { aSidecar } from '../support/sidecar.js';

const PATH = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1';
const SLOW_HEAD = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n`;

async function metric(app: TestApp, line: string): Promise<number> {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

async function inFlight(app: TestApp): Promise<number> {
  return metric(app, 'iot_upload_coredump_in_flight');
}

describe('uploads in flight', () => {
  it('are so many at most: one more is told to come back, and taken when there is room', async () => {
    const app = await aServer({ MAX_UPLOADS_IN_FLIGHT: '2' });
    await aDevice(app);
    const slow = [aSocket(app.url), aSocket(app.url)];
    for (const { send } of slow) send(SLOW_HEAD);
    await eventually(async () => (await inFlight(app)) === 2, 'both are in flight');

    const refused = await upload(app, 'one more');
    const error = await errorOf(refused);
    for (const { socket } of slow) socket.destroy();
    await eventually(async () => (await inFlight(app)) === 0, 'both have ended');
    const taken = await upload(app, 'one more');

    expect(error).toMatchObject({ status: 503, code: 'BUSY' });
    expect(error.message).toContain('MAX_UPLOADS_IN_FLIGHT');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(taken.status).toBe(201);
    expect(await metric(app, 'iot_upload_coredump_errors_total{code="BUSY"}')).toBe(1);
  });

  it('that trickle, 500 of them, let others through and are cut', { timeout: 240_000 }, async () => {
    // So long that on a slow machine the last has come before the first is cut.
    const app = await aServer({ UPLOAD_STALL_MS: '45000' });
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    const slow = Array.from({ length: 500 }, () => aSocket(app.url));
    for (const { send } of slow) send(SLOW_HEAD);
    const trickle = setInterval(() => {
      for (const { socket, send } of slow) if (socket.writable) send('x');
    }, 1_000);
    await eventually(async () => (await inFlight(app)) === 500, 'all trickle', { everyMs: 200 });

    const honest = await stored(app, 'an honest dump', { device: 'dev2' });
    const answers = await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(trickle);

    expect(honest.status).toBe('ok');
    expect(answers.map(statusOf).filter((status) => status !== 408)).toEqual([]);
    expect(await inFlight(app)).toBe(0);
  });

  it('that come steadily, but for ever, are cut at the deadline', async () => {
    const app = await aServer({ UPLOAD_DEADLINE_MS: '500' });
    await aDevice(app);
    const { send, socket, closed } = aSocket(app.url);
    send(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const steady = setInterval(() => socket.writable && send(`800\r\n${'x'.repeat(2_048)}\r\n`), 20);

    const answer = await closed;
    clearInterval(steady);

    expect(statusOf(answer)).toBe(408);
    expect(answer).toContain('UPLOAD_DEADLINE_MS');
  });

  it('do not wait for parses, however many of those wait', async () => {
    const sidecar = await aSidecar(() => {
      // Never answers.
    });
    const app = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '10000', PARSE_CONCURRENCY: '1' });
    await aDevice(app);
    const send = async (index: number) => (await upload(app, `dump ${index}`)).status;

    const statuses: number[] = [];
    for (let sent = 0; sent < 1_100; sent += 50) {
      statuses.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => send(sent + index)))));
    }

    expect(statuses.filter((status) => status !== 201)).toEqual([]);
  });
});

describe('a device in a crash loop', () => {
  const limits = { DEVICE_UPLOADS_PER_MINUTE: '2', DEVICE_UPLOAD_BURST: '3' };

  it('is told to wait, and others are not', async () => {
    const app = await aServer(limits);
    await aDevice(app);
    await aDevice(app, { key: 'dev2' });
    for (let crash = 0; crash < 5; crash++) await stored(app, `crash ${crash}`);

    const refused = await upload(app, 'crash 5');
    const error = await errorOf(refused);
    const other = await upload(app, 'crash 5', { device: 'dev2' });

    expect(error).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(error.message).toContain('DEVICE_UPLOADS_PER_MINUTE');
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(other.status).toBe(201);
    expect(await metric(app, 'iot_upload_coredump_errors_total{code="RATE_LIMITED"}')).toBe(1);
    expect(await readdir(`${app.config.coredumpsDir}/dev1`)).toHaveLength(5);
  });

  it('still gets its 201 for a dump that it sends again', async () => {
    const app = await aServer(limits);
    await aDevice(app);
    const byBytes = await stored(app, 'the same bytes');
    const byKey = await stored(app, 'a dump', { headers: { 'Idempotency-Key': 'boot-17' } });
    for (let crash = 0; crash < 3; crash++) await stored(app, `crash ${crash}`);
    expect((await upload(app, 'one too many')).status).toBe(429);

    const again = await stored(app, 'the same bytes');
    const keyAgain = await stored(app, 'cut differently', { headers: { 'Idempotency-Key': 'boot-17' } });

    expect(again).toEqual(byBytes);
    expect(keyAgain).toEqual(byKey);
    expect(await readdir(`${app.config.coredumpsDir}/dev1`)).toHaveLength(5);
  });

  it('is judged by the dumps that were stored, not by tries', async () => {
    const app = await aServer(limits);
    await aDevice(app);
    const first = await stored(app, 'the same bytes');

    for (let retry = 0; retry < 20; retry++) expect(await stored(app, 'the same bytes')).toEqual(first);
    for (let empty = 0; empty < 20; empty++) expect((await upload(app, '')).status).toBe(400);

    for (let crash = 0; crash < 4; crash++) await stored(app, `crash ${crash}`);
    expect((await upload(app, 'one too many')).status).toBe(429);
  });
});

describe('an address that tries device keys', () => {
  it('is refused even a right one after so many wrong ones, and others are not', async () => {
    const app = await aServer({ AUTH_FAILURES_PER_MINUTE: '3', TRUSTED_PROXIES: 'loopback' });
    await aDevice(app);
    const from = (address: string, device: string) =>
      upload(app, `${address} ${device}`, { device, headers: { 'X-Forwarded-For': address } });

    for (let guess = 0; guess < 3; guess++) {
      expect((await from('203.0.113.7', `guess${guess}`)).status).toBe(404);
    }
    const refused = await from('203.0.113.7', 'dev1');
    const spoofing = await from('198.51.100.9, 203.0.113.7', 'dev1');
    const other = await from('198.51.100.9', 'dev1');

    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(spoofing.status).toBe(429);
    expect(other.status).toBe(201);
  });

  it('cannot name another address where no proxy is trusted', async () => {
    const app = await aServer({ AUTH_FAILURES_PER_MINUTE: '3' });
    await aDevice(app);
    const from = (address: string, device: string) =>
      upload(app, address, { device, headers: { 'X-Forwarded-For': address } });

    for (let guess = 0; guess < 3; guess++) await from(`203.0.113.${guess}`, `guess${guess}`);

    expect((await from('198.51.100.9', 'dev1')).status).toBe(429);
  });

  it('is guarded against with tokens too', async () => {
    const app = await aServer({ AUTH_FAILURES_PER_MINUTE: '3' });
    const { token } = await aDevice(app);
    const send = (secret: string) => upload(app, 'dump', { headers: { Authorization: `Bearer ${secret}` } });

    const wrong = [await send('a'), await send('b'), await send('c')];

    expect(wrong.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect((await send(token)).status).toBe(429);
  });
});
