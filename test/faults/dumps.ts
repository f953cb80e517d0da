import { createHash } from 'node:crypto';
import type { Program } from '../support/program.js';
import type { ShownDump } from './ledger.js';

/** As a server shows them. */
export async function everyDump(server: Pick<Program, 'graphql'>): Promise<ShownDump[]> {
  const { coredumps } = await server.graphql<{ coredumps: { nodes: ShownDump[] } }>(
    '{ coredumps(first: 200) { nodes { id filename sha256 size parseStatus device { key } } } }',
  );
  return coredumps.nodes;
}

/** A sentence for each dump whose bytes the server does not give, or not as its row says. */
export async function withoutBytes(
  { url }: Pick<Program, 'url'>,
  dumps: readonly ShownDump[],
): Promise<string[]> {
  const losses: string[] = [];
  for (const { id, filename, sha256, device } of dumps) {
    const response = await fetch(`${url}/api/coredumps/${encodeURIComponent(id)}/download`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isWhole = response.status === 200 && createHash('sha256').update(bytes).digest('hex') === sha256;
    if (!isWhole)
      losses.push(`${filename} of ${device.key} has a row and not its bytes (${response.status})`);
  }
  return losses;
}
