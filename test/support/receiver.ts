import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Something that is told of crashes; it answers each request with the next of `statuses`, then with 200. */
export async function aReceiver(statuses: number[] = [], answerHeaders: Record<string, string> = {}) {
  const received: Array<{ path?: string; body: string; headers: IncomingHttpHeaders }> = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ path: request.url ?? '', body, headers: request.headers });
    response.writeHead(statuses[received.length - 1] ?? 200, answerHeaders).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret`, received };
}
