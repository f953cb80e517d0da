import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { isSigned } from './s3-signature.js';

/** What happens to a call on its way. */
export type Fault =
  | { answer: number; code: string }
  /** It takes so long, and is well otherwise. */
  | { delayMs: number }
  /** The connection ends without an answer. */
  | 'broken'
  /** No answer ever comes. */
  | 'hanging'
  /** The server does what it is asked, and its answer is lost. */
  | 'answer lost'
  /** Half of the answer's body comes, then the connection ends. */
  | 'cut'
  /** Half of the answer's body comes, and then nothing. */
  | 'stalled'
  /** A byte of the answer's body is another. */
  | 'damaged'
  /** The list has three objects, and says that there are more. */
  | 'small pages'
  /** The request arrives with another byte in its body. */
  | 'damaged on the way'
  /** 200 without a body, whatever was asked: what stands there is no S3. */
  | 'yes'
  /** Every page of a list is the first one, and says that there are more. */
  | 'endless list';

export interface S3Call {
  method: string;
  /** Decoded, the bucket first: `/bucket/coredumps/dev1/a.dmp` */
  path: string;
}

/**
 * A proxy before an S3 server, over real HTTP, through which calls go as they are unless the test lets something happen
 * to them. It also does what s3rver does not and AWS documents: signatures of version 4 (403), `If-None-Match: *` on PUT
 * (412 when the key is taken, one write of a key after the other), and the comparison of `x-amz-content-sha256` and
 * `x-amz-checksum-sha256` with the bytes (400). So those are proven against AWS's documentation, not against AWS.
 */
export async function anS3Proxy(
  target: string,
  { isConditional = true }: { isConditional?: boolean } = {},
): Promise<{
  url: string;
  calls: S3Call[];
  happens(fault: (call: S3Call) => Fault | null): void;
  /** From here on connections are refused. Resolves when nothing is on its way to the S3 server any more. */
  goAway(): Promise<void>;
  /** At the same address. */
  comeBack(): Promise<void>;
  close(): void;
}> {
  const calls: S3Call[] = [];
  let faultFor: (call: S3Call) => Fault | null = () => null;
  let lastWrite: Promise<unknown> = Promise.resolve();
  const passing = new Set<Promise<void>>();

  const server = createServer((request, response) => {
    const call = {
      method: request.method ?? '',
      path: decodeURIComponent((request.url ?? '').split('?')[0] ?? ''),
    };
    calls.push(call);
    response.on('error', () => {});
    request.on('error', () => {});
    const passed = pass(request, response, faultFor(call))
      .catch(() => void response.destroy())
      .finally(() => passing.delete(passed));
    passing.add(passed);
  });
  // The real server's business is to wait for a body; here it comes at once.
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    happens(fault) {
      faultFor = fault;
    },
    async goAway() {
      const closed = once(server, 'close');
      close();
      await closed;
      await Promise.all(passing);
    },
    async comeBack() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    close,
  };

  async function pass(
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | null,
  ): Promise<void> {
    if (fault !== null && typeof fault === 'object' && 'delayMs' in fault) {
      await pause(fault.delayMs);
      return pass(request, response, null);
    }
    if (!isSigned(request, 'S3RVER')) return refuse(response, 403, 'SignatureDoesNotMatch');
    if (fault === 'hanging') return;
    if (fault === 'broken') return void response.destroy();
    const body = await buffer(request);
    if (fault === 'yes') return void response.writeHead(200, { 'Content-Length': 0 }).end();
    if (fault === 'endless list') return answerList(response);
    if (fault !== null && typeof fault === 'object') return refuse(response, fault.answer, fault.code);
    if (fault === 'damaged on the way') flipMiddle(body);
    if (request.method === 'PUT') {
      const turn = lastWrite.then(() => put(request, body, response, fault));
      lastWrite = turn.catch(() => {});
      return void (await turn);
    }
    const path = `${request.url}${fault === 'small pages' ? '&max-keys=3' : ''}`;
    return deliver(await forward(request, body, path), response, fault);
  }

  async function put(request: IncomingMessage, body: Buffer, response: ServerResponse, fault: Fault | null) {
    const hash = createHash('sha256').update(body);
    const { 'x-amz-checksum-sha256': checksum, 'x-amz-content-sha256': signed } = request.headers;
    if (checksum !== undefined && checksum !== hash.copy().digest('base64')) {
      return refuse(response, 400, 'BadDigest');
    }
    const isHash = /^[0-9a-f]{64}$/.test(String(signed));
    // A copy has its bytes elsewhere.
    if (isHash && request.headers['x-amz-copy-source'] === undefined && signed !== hash.digest('hex')) {
      return refuse(response, 400, 'XAmzContentSHA256Mismatch');
    }
    if (isConditional && request.headers['if-none-match'] === '*' && (await isThere(request))) {
      return refuse(response, 412, 'PreconditionFailed');
    }
    return deliver(await forward(request, body), response, fault);
  }

  /** s3rver lets everybody read whose request has no signature. */
  async function isThere(request: IncomingMessage): Promise<boolean> {
    const [path] = (request.url ?? '').split('?');
    return (await fetch(`${target}${path}`, { method: 'HEAD' })).ok;
  }

  async function forward(
    request: IncomingMessage,
    body: Buffer,
    path = request.url,
  ): Promise<IncomingMessage> {
    const { hostname, port } = new URL(target);
    const { method, headers } = request;
    const onward = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: without(headers, 'expect'),
      agent: false,
    });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    return answer;
  }
}

async function deliver(answer: IncomingMessage, response: ServerResponse, fault: Fault | null) {
  const bytes = await buffer(answer);
  if (fault === 'answer lost') return void response.destroy();
  if (fault === 'damaged') flipMiddle(bytes);
  response.writeHead(answer.statusCode ?? 500, without(answer.headers, 'connection'));
  if (fault !== 'cut' && fault !== 'stalled') return void response.end(bytes);
  response.write(bytes.subarray(0, bytes.length / 2), () => {
    if (fault === 'cut') response.destroy();
  });
}

function answerList(response: ServerResponse) {
  const object = '<Contents><Key>coredumps/dev1/a.dmp</Key><Size>1</Size></Contents>';
  const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>';
  const text = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>${more}${object}</ListBucketResult>`;
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(text);
}

function refuse(response: ServerResponse, status: number, code: string) {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up for the test</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml' }).end(text);
}

function flipMiddle(bytes: Buffer): void {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

function without(headers: IncomingMessage['headers'], name: string): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}
