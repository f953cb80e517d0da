import { type TestApp, upload } from './app.js';

/**
 * Senders at once, each in a loop until it is refused, or until it `isOver`.
 * @returns the statuses of all uploads
 */
export async function uploadUntilRefused(
  servers: readonly TestApp[],
  isOver: () => boolean = () => false,
  senders = 20,
): Promise<number[]> {
  const statuses: number[] = [];
  await Promise.all(
    Array.from({ length: senders }, async (_, sender) => {
      const server = servers[sender % servers.length];
      for (let count = 0; server !== undefined && !isOver(); count++) {
        const response = await sent(server, `dump ${count} of sender ${sender}`);
        await response.arrayBuffer();
        statuses.push(response.status);
        if (response.status !== 201) return;
      }
    }),
  );
  return statuses;
}

/**
 * On a connection of its own: the server may close an idle one just when it is used again, and what else breaks is a
 * failure.
 */
function sent(server: TestApp, dump: string): Promise<Response> {
  return upload(server, dump, { headers: { Connection: 'close' } });
}
