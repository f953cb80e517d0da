import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const BOUNDARY = '---------------------------9051914041544843365972754266';

/** What esp-crash's component keeps in memory, in a dump of whatever bytes. */
export function aDumpOf({
  project = 'thermo-stat',
  version = '1.0.0',
  device = '68b6b341a58c',
  before = Buffer.from('memory\0\xff\xfe', 'latin1'),
} = {}): Buffer {
  const identity = `ESP_CRASH:${project};${version};${device};\0`;
  return Buffer.concat([before, Buffer.from(identity), Buffer.from('\0more memory')]);
}

/**
 * Sends a dump as esp-crash's component does (esp_crash_http.c): its headers, its form, its writes one after the other,
 * and nothing is read before all is written.
 *
 * @param url as in CONFIG_ESP_CRASH_DEFAULT_URL
 * @returns the status, or -1 when none came; `isErased`: the component takes it for a success and erases its dump
 */
export async function sendAsComponent(
  url: string,
  dump: Uint8Array,
  {
    host = new URL(url).host,
    pauseMs = 0,
    cutAfter = Number.POSITIVE_INFINITY,
    patienceMs = Number.POSITIVE_INFINITY,
  }: {
    host?: string;
    /** Between two halves of the dump, or before the network is gone. */
    pauseMs?: number;
    /** Bytes of the dump after which the network is gone. */
    cutAfter?: number;
    /** For the answer. */
    patienceMs?: number;
  } = {},
): Promise<{ status: number; text: string; isErased: boolean }> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const closed = once(socket, 'close').then(() => {});
  const partHead =
    'Content-Disposition: form-data; name="file"; filename="core.dmp"\r\nContent-Type: application/octet-stream\r\n\r\n';
  const length = 2 + BOUNDARY.length + 2 + partHead.length + dump.length + 2 + 2 + BOUNDARY.length + 2 + 2;
  socket.write(
    `POST ${pathname}${search} HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: ${host}\r\nReferer: ${url}\r\n` +
      `Origin: ${url}\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${length}\r\n\r\n`,
  );
  for (const text of ['--', BOUNDARY, '\r\n', partHead]) socket.write(text);
  if (cutAfter < dump.length) {
    socket.write(dump.subarray(0, cutAfter));
    await sleep(pauseMs);
    socket.resetAndDestroy();
    await closed;
    return { status: -1, text: '', isErased: true };
  }
  const middle = Math.floor(dump.length / 2);
  socket.write(dump.subarray(0, middle));
  if (pauseMs > 0) await sleep(pauseMs);
  socket.write(dump.subarray(middle));
  for (const text of ['\r\n', '--', BOUNDARY, '--', '\r\n']) socket.write(text);

  if (patienceMs < Number.POSITIVE_INFINITY) setTimeout(() => socket.end(), patienceMs);
  const answer = await readAnswer(socket, closed);
  socket.destroy();
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? -1);
  return { status, text: answer.slice(answer.indexOf('\r\n\r\n') + 4), isErased: status < 500 };
}

async function readAnswer(socket: ReturnType<typeof connect>, closed: Promise<void>): Promise<string> {
  let answer = '';
  const isWhole = () => {
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1];
    return length !== undefined && answer.length >= answer.indexOf('\r\n\r\n') + 4 + Number(length);
  };
  const whole = new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
      if (isWhole()) resolve();
    });
  });
  await Promise.race([whole, closed]);
  return answer;
}
