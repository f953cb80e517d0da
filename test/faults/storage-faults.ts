import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/app.js';
import { aProgram, CLI, NODE, run } from '../support/program.js';
import { everyDump, withoutBytes } from './dumps.js';
import type { Fault } from './faults.js';
import { uploadBuild, type World } from './world.js';

/** What is asked to be read again while its bytes are gone. */
const MAX_ASKED = 10;
const START_LIMIT_MS = 180_000;

/** What a restored backup, a disk error or a wrong setting makes of the storage. */
export const STORAGE_FAULTS: readonly Fault[] = [
  {
    name: 'a start with another database beside the same storage',
    missing: () => null,
    async strike(world) {
      await pause(Math.random() * 1_000);
      await world.stop(0, 'SIGTERM');
      const before = await world.files();
      const { code, stderr } = await within(
        START_LIMIT_MS,
        run(['start'], {
          cwd: world.dir,
          environment: { ...world.environment, PORT: '0', DATABASE_URL: await world.anotherDatabase() },
        }),
      );
      if (code === 0 || !stderr.includes('DATABASE_URL'))
        throw new Error(`a server started with another database (${code}): ${stderr.slice(0, 400)}`);
      const after = await world.files();
      // The other server may have retired some meanwhile; of an only one nothing may be gone.
      const gone = before.filter((file) => !after.includes(file));
      if (world.cluster === null && gone.length > 0)
        throw new Error(`a start with another database moved ${gone.length} files`);
    },
  },
  {
    name: 'a move to another place, whose import is killed and goes on',
    missing: () => null,
    async strike(world) {
      for (const index of world.servers.keys()) await world.stop(index, 'SIGTERM');
      const { folder, environment } = await world.elsewhere();
      const archive = join(folder, 'archive');
      const exported = await run(['export', archive], { cwd: world.dir, environment: world.environment });
      const count = Number(/(\d+) of Coredump,/.exec(exported.stdout)?.[1]);
      const there = { cwd: folder, environment };
      for (const withinMs of [1_500, 3_000]) await killed(['import', archive], there, withinMs);
      const { code, stderr } = await run(['import', archive], there);
      // The last of those that were killed may have been through.
      if (code !== 0 && !stderr.includes('has rows in'))
        throw new Error(`an import did not go on: ${stderr.slice(0, 400)}`);
      const moved = await aProgram('serve', { dir: folder, environment: { ...environment, PORT: '0' } });
      const dumps = await everyDump(moved);
      const losses = await withoutBytes(moved, dumps);
      await moved.stop('SIGTERM');
      await rm(folder, { recursive: true });
      if (dumps.length !== count) throw new Error(`${count} dumps were exported, ${dumps.length} imported`);
      if (losses.length > 0) throw new Error(`after an import ${losses.join('; ')}`);
    },
  },
  {
    name: 'a build whose ELF is gone, until it is uploaded again',
    missing: () => null,
    async strike(world) {
      await world.loseFirmware();
      await pause(Math.random() * 3_000);
      const [server] = world.servers;
      if (server == null) throw new Error('a server is up');
      await uploadBuild(server);
    },
  },
  {
    name: 'dumps whose raw bytes are gone, asked to be read again',
    missing: ({ s3 }) => (s3 === null ? null : 'is about files'),
    async strike(world) {
      const [server] = world.servers;
      if (server == null) throw new Error('a server is up');
      const { coredumps } = await server.graphql<{ coredumps: { nodes: Dump[] } }>(
        '{ coredumps(first: 50, filter: { parseStatus: [PARSED] }) { nodes { id filename device { key } } } }',
      );
      const gone: Dump[] = [];
      for (const dump of coredumps.nodes.slice(-MAX_ASKED)) {
        const path = pathOf(world, dump);
        // It may have had to go for a newer one just now.
        await rename(path, `${path}.aside`).then(
          () => gone.push(dump),
          () => {},
        );
      }
      for (const { id } of gone) {
        await server
          .graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', { id })
          .catch(() => {});
      }
      await eventually(async () => (await pendingOf(server, gone)) === 0, 'the end of what was asked for');
      const lost = await withoutReport(server, gone);
      for (const dump of gone) await rename(`${pathOf(world, dump)}.aside`, pathOf(world, dump));
      if (lost > 0) throw new Error(`${lost} reports are gone, because their raw bytes were`);
    },
  },
];

/** At a moment that nobody chose. */
async function killed(
  args: string[],
  { cwd, environment }: { cwd: string; environment: Record<string, string> },
  withinMs: number,
): Promise<void> {
  const child = spawn(NODE, [CLI, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await Promise.race([exited, pause(withinMs * Math.random())]);
  child.kill('SIGKILL');
  await exited;
}

interface Dump {
  id: string;
  filename: string;
  device: { key: string };
}

function pathOf({ dir }: World, { filename, device }: Dump): string {
  return join(dir, 'data/coredumps', device.key, filename);
}

type Server = NonNullable<World['servers'][number]>;

async function stateOf(server: Server, dumps: readonly Dump[]) {
  const states = await Promise.all(
    dumps.map(({ id }) =>
      server.graphql<{ coredump: { parseStatus: string; report: { reason: string } | null } | null }>(
        'query ($id: ID!) { coredump(id: $id) { parseStatus report { reason } } }',
        { id },
      ),
    ),
  );
  return states.flatMap(({ coredump }) => coredump ?? []);
}

async function pendingOf(server: Server, dumps: readonly Dump[]): Promise<number> {
  return (await stateOf(server, dumps)).filter(({ parseStatus }) => parseStatus === 'PENDING').length;
}

async function withoutReport(server: Server, dumps: readonly Dump[]): Promise<number> {
  return (await stateOf(server, dumps)).filter(({ report }) => report === null).length;
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
