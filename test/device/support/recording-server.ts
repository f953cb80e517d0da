import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: Buffer;
}

export interface RecordingServer {
  readonly url: string;
  /** In the order of their arrival, without boot reports. */
  readonly crashes: RecordedRequest[];
  readonly boots: RecordedRequest[];
  /** For the next crashes, in their order; afterwards each is stored. */
  answers: Array<{ status: number; body?: string }>;
  close(): Promise<void>;
}

/** Answers devices as the server does, and keeps what they sent. */
export async function aRecordingServer(): Promise<RecordingServer> {
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (body === null) return;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const recorded = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers as Record<string, string>,
      body,
    };
    if (url.pathname === '/api/iot/boot') {
      recording.boots.push(recorded);
      response.writeHead(204).end();
      return;
    }
    recording.crashes.push(recorded);
    const answer = recording.answers.shift() ?? STORED;
    const text = answer.body ?? '{"error":{"code":"TEST","message":"an answer of the test"}}';
    response
      .writeHead(answer.status, { 'Content-Length': Buffer.byteLength(text), Connection: 'close' })
      .end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const recording: RecordingServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    crashes: [],
    boots: [],
    answers: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return recording;
}

/** Null when the device was reset in the middle. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(parts);
}

const STORED = {
  status: 201,
  body: '{"status":"ok","filename":"crash.json","coredumpId":"Q29yZWR1bXA6MQ=="}',
};
