import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { DEEP_VARIABLES, QUERIES_OF_DEATH } from '../graphql/queries-of-death.js';
import { aSocket, statusOf } from '../support/http.js';

/** One abusive request: what became of it, as a status; 0 for a connection that was cut. */
export type Abuse = (url: string) => Promise<number>;

export const UPLOAD_PATH = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'multipart/form-data; boundary=b' };

const post =
  (body: string, headers: Record<string, string> = JSON_TYPE): Abuse =>
  (url) =>
    send(`${url}/graphql`, body, headers);

const dump =
  (body: Uint8Array | string, headers: Record<string, string> = {}): Abuse =>
  (url) =>
    send(`${url}${UPLOAD_PATH}abuser`, body, headers);

/** Bytes that no HTTP client would send; whoever sent them has seen enough with the status. */
const raw =
  (bytes: string): Abuse =>
  (url) => {
    const { send, closed, socket } = aSocket(url);
    send(bytes);
    return new Promise((resolve) => {
      socket.once('data', (text) => resolve(statusOf(String(text))));
      void closed.then((answer) => resolve(statusOf(answer)));
    }).then((status) => {
      socket.destroy();
      return Number(status);
    });
  };

const [GARBAGE_HEAD, TWO_LENGTHS] = [
  `POST ${UPLOAD_PATH}abuser HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
  `POST ${UPLOAD_PATH}abuser HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`,
];

/** By name. GraphQL answers what it refuses with 200, by its own rules; that it refused, its tests say. */
export const ABUSES: ReadonlyMap<string, Abuse> = new Map([
  ...QUERIES_OF_DEATH.map(
    ([what, , query, variables]) => [what, post(JSON.stringify({ query, variables }))] as const,
  ),
  ['variables that nest without end', post(DEEP_VARIABLES)],
  ['brackets without end', post('['.repeat(900_000))],
  ['brackets as long as a body may be', post('['.repeat(120_000))],
  ['2 MB of JSON', post(`{"query":"${'x'.repeat(2_000_000)}"}`)],
  ['a thousand operations', post(JSON.stringify(new Array(1_000).fill({ query: '{ __typename }' })))],
  ['text', post('query=1', { 'Content-Type': 'text/plain' })],
  ['50,000 boundaries', post('--b\r\n'.repeat(50_000), FORM_TYPE)],
  ['a huge head of a part', post(`--b\r\nX: ${'x'.repeat(500_000)}\r\n\r\n--b--`, FORM_TYPE)],
  ['a dump of 3 MB', dump(Buffer.alloc(3_000_000))],
  ['a gzip bomb', dump(gzipSync(Buffer.alloc(64_000_000)), { 'Content-Encoding': 'gzip' })],
  ['no gzip', dump('no gzip', { 'Content-Encoding': 'gzip' })],
  ['no dump', dump('')],
  ['a wrong token', dump('x', { Authorization: `Bearer ${'a'.repeat(500)}` })],
  ['20,000 headers', raw(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`)],
  [
    'a huge query string',
    raw(`GET /graphql?query=${'x'.repeat(200_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  ],
  ['two lengths', raw(`${TWO_LENGTHS}0\r\n\r\n`)],
  ['a chunk that is none', raw(`${GARBAGE_HEAD}zz\r\n`)],
  ['zeros', raw('\0'.repeat(10_000))],
  ['a WebSocket that floods', flood],
]);

const TEXTS = (devices: number) =>
  `{ devices(first: ${devices}) { nodes { coredumps(first: 200) { nodes { parsedOutput } } } } }`;
export const LONGEST_ANSWER = TEXTS(40);
const SIX_FIELDS = 'id filename chip firmwareVersion size parseStatus';
const SERIES =
  'crashes(unit: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-02-11T00:00:00Z") { start count }';

/** The costliest that is allowed, and what just is not, by ten viewers at once. */
export const COSTLY: ReadonlyMap<string, Abuse> = new Map(
  [
    ['200 × 200 texts', TEXTS(200)],
    ['as many texts as an answer may have', LONGEST_ANSWER],
    [
      'as many reports',
      '{ coredumps(first: 200) { nodes { report { reason tasks { name frames { pc } } } } } }',
    ],
    [
      'as many fields as a query may have',
      `{ devices(first: 200) { nodes { key coredumps(first: 39) { nodes { ${SIX_FIELDS} } } } } }`,
    ],
    [
      'edges of everything',
      `{ coredumps(first: 200) { edges { cursor node { ${SIX_FIELDS} device { key model { code } } } } } }`,
    ],
    [
      'searches',
      `{ ${times(10, 'search(query: "abort") { coredumps(first: 50) { nodes { snippet { text } } } }')} }`,
    ],
    ['filters by words', `{ ${times(20, 'coredumps(filter: { search: "abort" }) { totalCount }')} }`],
    ['counts', `{ ${times(25, 'coredumps(filter: { chip: ["esp32c3"] }) { totalCount }')} }`],
    [
      'audit events',
      `{ ${times(20, 'auditEvents(first: 200) { nodes { id createdAt action actor target } }')} }`,
    ],
    ['time series', `{ ${times(24, SERIES)} }`],
  ].map(([what = '', query]) => [what, crowd(10, post(JSON.stringify({ query })))]),
);

function times(count: number, field: string): string {
  return Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');
}

/** @returns the highest of their statuses */
function crowd(size: number, abuse: Abuse): Abuse {
  return async (url) => Math.max(...(await Promise.all(Array.from({ length: size }, () => abuse(url)))));
}

/** Sends what nobody needs until it is closed. */
function flood(url: string): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => {});
  socket.once('open', () => {
    for (let message = 0; message < 1_000; message++) socket.send('{"type":"ping"}');
  });
  return new Promise((resolve) => socket.once('close', () => resolve(0)));
}

async function send(
  url: string,
  body: Uint8Array | string,
  headers: Record<string, string>,
): Promise<number> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  const response = await fetch(url, { method: 'POST', headers, body: bytes });
  await response.arrayBuffer();
  return response.status;
}
