import { once } from 'node:events';
import { connect } from 'node:http2';
import { type RequestOptions, request } from 'node:https';
import type { Readable } from 'node:stream';
import { WebSocket } from 'ws';

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2';

/** An address of this machine that is no proxy's: whoever sees it has been told who the client is. */
export const CLIENT = '127.0.0.2';

export interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface OpenAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  stream: Readable;
  close(): void;
}

/** A client of HTTPS servers with a certificate of our own, in both versions of HTTP. */
export function createTlsClient(ca: string) {
  const openers = { 'HTTP/1.1': openHttp1, 'HTTP/2': openHttp2 };

  /** Resolves with the head of the answer. */
  function open(version: HttpVersion, url: string, asked: Asked = {}): Promise<OpenAnswer> {
    return openers[version](new URL(url), asked);
  }

  async function ask(version: HttpVersion, url: string, asked: Asked = {}): Promise<Answer> {
    const { status, headers, stream, close } = await open(version, url, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    close();
    return { status, headers, body: Buffer.concat(chunks) };
  }

  async function openHttp1(url: URL, { method = 'GET', headers = {}, body }: Asked): Promise<OpenAnswer> {
    const sent = request(url, { method, headers, ...AS_CLIENT, ca, agent: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    return {
      status: response.statusCode,
      headers: response.headers,
      stream: response.on('error', () => {}),
      close: () => void sent.destroy(),
    };
  }

  async function openHttp2(url: URL, { method = 'GET', headers = {}, body }: Asked): Promise<OpenAnswer> {
    const session = connect(url.origin, { ca, ...AS_CLIENT });
    session.on('error', () => {});
    const lower = Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]),
    );
    const stream = session.request({
      ':method': method,
      ':path': `${url.pathname}${url.search}`,
      ...lower,
    });
    stream.on('error', () => {});
    stream.end(body);
    const [answered] = await once(stream, 'response');
    return {
      status: Number(answered[':status']),
      headers: answered,
      stream,
      close: () => void session.destroy(),
    };
  }

  return {
    open,
    ask,
    async graphql<Data>(version: HttpVersion, url: string, query: string, variables: object = {}) {
      const { status, body } = await ask(version, `${url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = JSON.parse(body.toString()) as { data: Data; errors?: unknown[] };
      if (errors !== undefined) throw new Error(`${status} ${JSON.stringify(errors)}`);
      return data;
    },

    /** A subscription over server-sent events: what has arrived so far, as text. */
    async subscribe(version: HttpVersion, url: string, query: string) {
      const opened = await open(version, `${url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
        body: JSON.stringify({ query }),
      });
      let text = '';
      let hasEnded = false;
      opened.stream
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          text += chunk;
        })
        .on('close', () => {
          hasEnded = true;
        });
      return { ...opened, received: () => text, hasEnded: () => hasEnded };
    },

    /** A subscription over WebSocket, as `graphql-transport-ws` speaks it. */
    async socket(url: string, query: string, origin: string) {
      const socket = new WebSocket(`${url.replace('https', 'wss')}/graphql`, 'graphql-transport-ws', {
        ca,
        headers: { Origin: origin },
        ...AS_CLIENT,
      });
      let text = '';
      let hasEnded = false;
      socket.on('message', (message) => {
        text += message.toString();
      });
      socket.on('close', () => {
        hasEnded = true;
      });
      await once(socket, 'open');
      socket.send('{"type":"connection_init"}');
      await once(socket, 'message');
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }));
      return { received: () => text, hasEnded: () => hasEnded, close: () => socket.terminate() };
    },
  };
}

const AS_CLIENT: Pick<RequestOptions, 'localAddress' | 'family'> = { localAddress: CLIENT, family: 4 };
