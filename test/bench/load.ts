import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

/**
 * Sends `count` bodies of `bytes` each, `inFlight` at a time over kept connections, every body different.
 * @returns seconds, and the latencies in milliseconds
 */
export async function upload(
  url: string,
  {
    count,
    bytes,
    inFlight,
    path,
  }: { count: number; bytes: number; inFlight: number; path: (index: number) => string },
): Promise<{ seconds: number; latencies: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const template = randomBytes(bytes);
  const latencies: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      const body = Buffer.from(template);
      body.writeUInt32LE(index, 0);
      body.write(randomBytes(8).toString('hex'), 4);
      const begun = performance.now();
      await post(agent, url + path(index), body);
      latencies.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  return { seconds, latencies };
}

function post(agent: Agent, url: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': body.length };
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 201) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
    });
    outgoing.once('error', reject).end(body);
  });
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
