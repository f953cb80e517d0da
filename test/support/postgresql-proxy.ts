import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/**
 * What happens to a COMMIT that a server sends:
 * - "answer lost": PostgreSQL does it, and the connection breaks before the answer is through
 * - "late": the connection breaks at the sender's end first, and PostgreSQL gets it a moment later
 * - "never sent": the connection breaks, and PostgreSQL does not get it
 */
export type CommitFate = 'answer lost' | 'late' | 'never sent';

const LATE_MS = 300;

/** A TCP proxy in front of PostgreSQL that cuts connections where a test says: at the very moment of a COMMIT. */
export async function aPostgresqlProxy(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const clients = new Set<Socket>();
  /** Of the COMMITs to come, in their order; null is a good one. */
  const fates: Array<CommitFate | null> = [];
  let isReachable = true;
  let isSilent = false;
  let cutsAll = false;

  const server = createServer((client) => {
    if (!isReachable) return void client.destroy();
    clients.add(client);
    let doom: CommitFate | null = null;
    // What has been swallowed once is gone for good: a connection that has met silence never comes back from it.
    let hasFallenSilent = false;
    const swallows = () => {
      hasFallenSilent ||= isSilent;
      return hasFallenSilent;
    };
    const upstream = connect(Number(target.port), target.hostname);
    upstream.on('error', () => {}).on('close', () => client.destroy());
    client
      .on('error', () => {})
      .on('close', () => {
        clients.delete(client);
        if (doom !== 'late') upstream.destroy();
      });
    upstream.on('data', (bytes) => {
      if (swallows()) return;
      if (doom === 'answer lost') client.destroy();
      else client.write(bytes);
    });
    client.on('data', (bytes) => {
      if (swallows()) return;
      if (bytes.includes('COMMIT')) doom = fates.shift() ?? null;
      if (doom !== null && cutsAll) cutOff(client);
      if (doom === 'never sent' || doom === 'late') client.destroy();
      if (doom === 'late') void pause(LATE_MS).then(() => upstream.end(bytes));
      else if (doom !== 'never sent') upstream.write(bytes);
    });
  });

  function cutOff(butNot: Socket): void {
    isReachable = false;
    for (const client of clients) if (client !== butNot) client.destroy();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const client of clients) client.destroy();
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).href,
    /** Says what happens to the next COMMITs. */
    decide: (...next: Array<CommitFate | null>) => void fates.push(...next),
    /** With the next lost COMMIT the database is out of reach, until `restore`. */
    thenUnreachable() {
      cutsAll = true;
    },
    /** From here on connections stay open, new ones are taken, and nothing goes through either way. */
    fallSilent() {
      isSilent = true;
    },
    restore() {
      isSilent = false;
      cutsAll = false;
      isReachable = true;
    },
  };
}
