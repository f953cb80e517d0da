/**
 * The subscribers of the fan-out benchmark, in a process of their own. Usage: subscribers COUNT URL… Each opens a
 * subscription over server-sent events at one of the URLs, in turns. Writes "ready" when all are open. Asked by a line
 * on its standard input, it writes one for every event since the last time, "NAME MILLISECONDS": the dump's file name,
 * and when it came, since 1970. Not by itself, for whoever reads that would take the processors from those measured.
 */
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';

const [, , count = '1', ...urls] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
/** What the web page asks for, and the name by which the event is known again. */
const query = 'subscription { parseStatus { id filename parseStatus device { key } } }';
const body = JSON.stringify({ query });
/** Looked at when asked: the next event may be waiting. */
let received: Array<{ text: string; at: number }> = [];
const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };

await Promise.all(
  Array.from({ length: Number(count) }, (_, index) => subscribe(urls[index % urls.length] ?? '')),
);
process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', () => {
  for (const { text, at } of received)
    for (const [, name] of text.matchAll(/"filename":"([^"]+)"/g)) process.stdout.write(`${name} ${at}\n`);
  received = [];
});

function subscribe(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
      // The head is sent at once, the subscription is open a moment later.
      setTimeout(resolve, 500);
      response.setEncoding('utf8').on('data', (text: string) => {
        received.push({ text, at: performance.timeOrigin + performance.now() });
      });
    });
    outgoing.once('error', reject).end(body);
  });
}
