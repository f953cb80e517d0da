import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/app.js';
import { CLI, NODE } from '../../support/program.js';

export interface BuiltServer {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  graphql<Data>(query: string, variables?: object): Promise<Data>;
  /** Killed, and started again on the same port and folder. */
  killAndStart(): Promise<void>;
  close(): Promise<void>;
}

/** The built program, for all tests of a file or for a campaign: on a port that it keeps over restarts. */
export async function aBuiltServer(environment: Record<string, string> = {}): Promise<BuiltServer> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-device-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = () => started(folder, { PORT: String(port), ...environment });
  let child = await start();
  return {
    folder,
    port,
    url,
    async graphql<Data>(query: string, variables: object = {}) {
      const ask = () =>
        fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ query, variables }),
        }).catch(() => undefined);
      // Undefined while the server is being killed and started.
      const response = await eventually(ask, 'the server answers');
      const { data, errors } = (await response.json()) as { data: Data; errors?: unknown[] };
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    async killAndStart() {
      await killed(child);
      child = await start();
    },
    async close() {
      await killed(child);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function started(folder: string, environment: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(NODE, [CLI, 'serve'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', DEVICE_UPLOADS_PER_MINUTE: '1000000', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-20_000);
      if (log.includes('Coredock is up')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`coredock serve ended with ${code}:\n${log}`)));
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Registers a model and devices with these keys. */
export async function registerDevices(
  server: BuiltServer,
  model: string,
  keys: readonly string[],
): Promise<void> {
  await server.graphql(
    `mutation { createDeviceModel(input: { code: "${model}", name: "${model}" }) { deviceModel { id } } }`,
  );
  for (let at = 0; at < keys.length; at += 20) {
    const calls = keys
      .slice(at, at + 20)
      .map(
        (key) => `${key}: createDevice(input: { modelCode: "${model}", key: "${key}" }) { device { id } }`,
      );
    await server.graphql(`mutation { ${calls.join(' ')} }`);
  }
}

/** SHA-256 of each dump that the server has of a device, sorted. */
export async function dumpsOf(server: BuiltServer, key: string): Promise<string[]> {
  const { coredumps } = await server.graphql<{ coredumps: { nodes: Array<{ sha256: string }> } }>(
    `query($key: String!) { coredumps(first: 50, filter: { deviceKey: [$key] }) { nodes { sha256 } } }`,
    { key },
  );
  return coredumps.nodes.map(({ sha256 }) => sha256).sort();
}
