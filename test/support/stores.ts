import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { adoptCommand, backupCommand, exportCommand, importCommand } from '../../src/backup/commands.js';
import type { App } from '../../src/compose/start-app.js';
import type { Config } from '../../src/config/settings.js';

export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-house-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A command of those that copy a server, with what it said. */
export async function moving(
  command: 'adopt' | 'backup' | 'export' | 'import',
  config: Config,
  folder: string,
): Promise<{ code: number; said: string; complaints: string }> {
  const said: string[] = [];
  const complaints: string[] = [];
  const terminal = {
    say: (line: string) => void said.push(line),
    complain: (line: string) => void complaints.push(line),
  };
  const commands = { backup: backupCommand, export: exportCommand, import: importCommand };
  const code =
    command === 'adopt'
      ? await adoptCommand(config, terminal)
      : await commands[command](config, folder, terminal);
  return { code, said: said.join('\n'), complaints: complaints.join('\n') };
}

const EVERYTHING = `{
  deviceModels(first: 100) { nodes { id code name
    firmwares(first: 20) { nodes { id version chip elfSha256 size uploadedAt coredumpCount } } } }
  devices(first: 100) { nodes { id key name createdAt updatedAt coredumpCount } }
  coredumps(first: 100) { totalCount nodes { id filename chip firmwareVersion size sha256 parseStatus parseAttempts
    parsedOutput uploadedAt parsedAt device { id } firmware { id } report { reason crashedTask elfMatches } } }
}`;

interface Everything {
  coredumps: { totalCount: number; nodes: Array<{ id: string; device: { id: string } }> };
}

/** All that a user can see of a server, bytes included; the same for two servers that are the same. */
export async function everythingOf(
  app: Pick<App, 'url'> & { graphql<Data>(query: string): Promise<Data> },
): Promise<Everything & { bytes: Record<string, string> }> {
  const everything = await app.graphql<Everything>(EVERYTHING);
  const bytes: Record<string, string> = {};
  for (const { id } of everything.coredumps.nodes) {
    const answer = await fetch(`${app.url}/api/coredumps/${id}/download`);
    if (!answer.ok) throw new Error(`download of ${id}: ${answer.status}`);
    bytes[id] = Buffer.from(await answer.arrayBuffer()).toString('base64');
  }
  return { ...everything, bytes };
}
