import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/tools/postgresql-cluster.js';
import { type Program, startProgram } from './program.js';
import {
  aCertificate,
  missing,
  PROXIES,
  type ProxyName,
  type ProxyOptions,
  type RunningProxy,
  startProxy,
} from './proxies.js';
import { createTlsClient } from './tls-client.js';

export type BehindProxies = Awaited<ReturnType<typeof startBehindProxies>>;

/**
 * Two servers, at the root of a host and below a path, each behind every proxy of this machine. Both have the settings
 * that docs/proxies.md asks for. PUBLIC_URL is nginx's address: its `$host` has no port, so that nothing else makes the
 * page known as our own; the others pass on the browser's `Host`.
 *
 * @param timeoutSeconds after which the proxies close what is silent; the document's if undefined
 */
export async function startBehindProxies({ timeoutSeconds }: { timeoutSeconds: number | undefined }) {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-proxies-'));
  const certificate = await aCertificate();
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [rootPort, belowPort, nginxPort, nginxBelowPort] = ports;
  const running = new Map<string, RunningProxy>();
  const startRoot = () => startCoredock('root', rootPort, `https://localhost:${nginxPort}`);
  const [root, below] = await Promise.all([
    startRoot(),
    startCoredock('below', belowPort, `https://localhost:${nginxBelowPort}/coredock`),
  ]);
  const programs = [root, below];
  const here = PROXIES.filter((name) => missing(name) === '');
  const started = await Promise.allSettled(
    here.flatMap((name) => [
      start(name, name, { port: rootPort, ...ownPort(name, nginxPort) }),
      start(`${name}, below`, name, {
        port: belowPort,
        isBelowPath: true,
        ...ownPort(name, nginxBelowPort),
      }),
    ]),
  );
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }

  return {
    dir,
    certificate,
    client: createTlsClient(certificate.text),
    root,
    below,
    urlOf: (name: ProxyName) => running.get(name)?.url ?? '',
    belowOf: (name: ProxyName) => `${running.get(`${name}, below`)?.url}/coredock`,
    start,
    /** The server at the root again, on its port and its data. */
    async startAgain(): Promise<void> {
      programs.push(await startRoot());
    },
    close,
  };

  /** One more proxy. @returns its URL */
  async function start(
    label: string,
    name: ProxyName,
    options: Omit<ProxyOptions, 'certificate'>,
  ): Promise<string> {
    const proxy = await startProxy(name, { certificate, timeoutSeconds, ...options });
    running.set(label, proxy);
    return proxy.url;
  }

  function startCoredock(name: string, port: number, publicUrl: string): Promise<Program> {
    const environment = {
      PORT: String(port),
      PUBLIC_URL: publicUrl,
      TRUSTED_PROXIES: '127.0.0.1,::1',
      DATABASE_URL: `file:${join(dir, name)}.db`,
      COREDUMPS_DIR: join(dir, name, 'coredumps'),
      ASSETS_DIR: join(dir, name, 'firmware'),
    };
    return startProgram('serve', { dir, environment });
  }

  async function close(): Promise<void> {
    await Promise.all([...running.values()].map((proxy) => proxy.close()));
    await Promise.all(programs.map((program) => program.stop('SIGKILL')));
    await certificate.remove();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function ownPort(name: ProxyName, port: number) {
  return name === 'nginx' ? { ownPort: port } : {};
}
