/**
 * Viewers in a process of their own, so that what they read keeps nobody else busy. Each sends one request on a plain
 * socket; told by argument whether it reads the answer at once, or a little every second. Its message says what came.
 */
import { connect } from 'node:net';

export interface Viewing {
  url: string;
  query: string;
  viewers: number;
  reads: 'fast' | 'slowly';
}

/** Statuses of the answers, and their bytes. */
export interface Viewed {
  statuses: number[];
  bytes: number;
}

const SLOW_READ_MS = 1_000;

process.once('message', async (viewing: Viewing) => {
  const viewed: Viewed = { statuses: [], bytes: 0 };
  await Promise.all(Array.from({ length: viewing.viewers }, () => view(viewing, viewed)));
  process.send?.(viewed);
});

function view({ url, query, reads }: Viewing, viewed: Viewed): Promise<void> {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ query });
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let isFirst = true;
  socket.on('data', (data) => {
    if (isFirst)
      viewed.statuses.push(Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1', 0, 16))?.[1]));
    isFirst = false;
    viewed.bytes += data.length;
    if (reads === 'fast') return;
    socket.pause();
    setTimeout(() => socket.resume(), SLOW_READ_MS);
  });
  // A connection that the server cuts is one of the answers.
  return new Promise((resolve) => void socket.on('error', () => {}).once('close', () => resolve()));
}
