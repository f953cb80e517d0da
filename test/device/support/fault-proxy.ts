import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to one connection of a device. */
export type Fault =
  | { kind: 'pass' }
  /** Closed as soon as it is made. */
  | { kind: 'refuse' }
  /** Cut after so many bytes of the request. */
  | { kind: 'cut-request'; after: number }
  /** The server has the whole request, and the device gets so many bytes of the answer. */
  | { kind: 'cut-answer'; after: number }
  /** Answered by the proxy: when the head was read, or when the body was read as well. */
  | { kind: 'answer'; status: number; headers?: string; body?: string; early: boolean }
  /** Never answered. */
  | { kind: 'stall' }
  /** A few bytes at a time. */
  | { kind: 'slow' };

export interface FaultProxy {
  readonly port: number;
  /** For the next connections, in their order; afterwards everything passes. */
  faults: Fault[];
  /** How many connections there were. */
  connections(): number;
  /** The head of each request that reached the proxy. */
  heads: string[];
  close(): Promise<void>;
}

/** Stands between a device and the server. */
export async function aFaultProxy(serverPort: number): Promise<FaultProxy> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((device) => {
    connections += 1;
    sockets.add(device);
    device.on('error', () => {}).on('close', () => sockets.delete(device));
    device.once('data', (bytes: Buffer) =>
      proxy.heads.push(bytes.toString('latin1').split('\r\n\r\n')[0] ?? ''),
    );
    apply(device, proxy.faults.shift() ?? { kind: 'pass' }, serverPort);
  });
  const proxy: FaultProxy = {
    port: 0,
    faults: [],
    heads: [],
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port });
}

function apply(device: Socket, fault: Fault, serverPort: number): void {
  if (fault.kind === 'refuse') device.resetAndDestroy();
  else if (fault.kind === 'stall') device.resume();
  else if (fault.kind === 'answer') answer(device, fault);
  else forward(device, fault, serverPort);
}

function forward(device: Socket, fault: Fault, serverPort: number): void {
  const server = connect(serverPort, '127.0.0.1');
  const cut = () => {
    device.resetAndDestroy();
    server.resetAndDestroy();
  };
  server.on('error', () => device.destroy());
  device.on('close', () => server.end());
  const requestLimit = fault.kind === 'cut-request' ? fault.after : Number.POSITIVE_INFINITY;
  const answerLimit = fault.kind === 'cut-answer' ? fault.after : Number.POSITIVE_INFINITY;
  passOn(device, server, { limit: requestLimit, atLimit: cut, isSlow: fault.kind === 'slow' });
  passOn(server, device, { limit: answerLimit, atLimit: cut, isSlow: false });
  server.on('end', () => device.end());
}

interface Passing {
  limit: number;
  atLimit: () => void;
  isSlow: boolean;
}

function passOn(from: Socket, to: Socket, { limit, atLimit, isSlow }: Passing): void {
  let passed = 0;
  from.on('data', (bytes: Buffer) => {
    const allowed = bytes.subarray(0, Math.max(0, limit - passed));
    passed += bytes.length;
    if (allowed.length > 0) to.write(allowed);
    if (passed > limit) return void setTimeout(atLimit, 5);
    if (isSlow) {
      from.pause();
      setTimeout(() => from.resume(), 10);
    }
  });
}

function answer(device: Socket, fault: Extract<Fault, { kind: 'answer' }>): void {
  let request = Buffer.alloc(0);
  let isAnswered = false;
  device.on('data', (bytes: Buffer) => {
    if (isAnswered) return;
    request = Buffer.concat([request, bytes]);
    const headEnd = request.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(
      /content-length: (\d+)/i.exec(request.subarray(0, headEnd).toString('latin1'))?.[1] ?? 0,
    );
    if (!fault.early && request.length < headEnd + 4 + length) return;
    isAnswered = true;
    const body = fault.body ?? '{"error":{"code":"FAULT","message":"a fault of the test"}}';
    device.end(
      `HTTP/1.1 ${fault.status} Fault\r\n${fault.headers ?? ''}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}
