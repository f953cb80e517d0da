import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A socket on which a test writes exactly the bytes it means, and reads what comes back. */
export function aSocket(url: string) {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  let received = '';
  const closed = new Promise<string>((resolve) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    // A reset is one of the ways in which a refused sender's connection ends.
    socket.on('error', () => {}).on('close', () => resolve(received));
  });
  return {
    socket,
    send: (text: string | Uint8Array) => socket.write(text),
    /** What had come when the connection ended. */
    closed,
    received: () => received,
  };
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** For a program that must be told its port. */
export async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
