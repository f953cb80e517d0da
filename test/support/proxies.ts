import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, unprivilegedUser } from '../../src/tools/postgresql-cluster.js';

const DOCUMENT = readFileSync(new URL('../../docs/proxies.md', import.meta.url), 'utf8');

export type ProxyName = 'nginx' | 'HAProxy' | 'Caddy' | 'Apache';

interface ProxyKind {
  /** The language of its code block in the document. */
  readonly language: string;
  /** Where Debian's package puts it. */
  readonly program: string;
  /** The document's address of the listener, which becomes a free port. */
  readonly listens: RegExp;
  /** A complete file around the document's lines, which are for a folder that a package has set up. */
  whole(lines: string, dir: string): string;
  /** @param seconds time without data after which it closes a connection */
  withTimeout(config: string, seconds: number): string;
  arguments(file: string, dir: string): string[];
}

const APACHE_MODULES = ['mpm_event', 'authz_core', 'ssl', 'http2', 'proxy', 'proxy_http'];

const KINDS: Readonly<Record<ProxyName, ProxyKind>> = {
  nginx: {
    language: 'nginx',
    program: '/usr/sbin/nginx',
    listens: /(?<=listen )443/,
    whole: (lines, dir) =>
      `daemon off; pid ${dir}/pid; error_log stderr; worker_processes 1;\nevents {}\nhttp {\naccess_log off;\n` +
      ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${dir}/${name};\n`)
        .join('') +
      `${lines}\n}\n`,
    withTimeout: (config, seconds) =>
      config.replace('access_log off;', `access_log off; proxy_read_timeout ${seconds}s;`),
    arguments: (file, dir) => ['-c', file, '-p', dir, '-e', 'stderr'],
  },
  HAProxy: {
    language: 'haproxy',
    program: '/usr/sbin/haproxy',
    listens: /(?<=bind ):443/,
    whole: (lines) => lines,
    withTimeout: (config, seconds) => config.replaceAll(' 60s', ` ${seconds}s`),
    arguments: (file) => ['-db', '-f', file],
  },
  Caddy: {
    language: 'caddy',
    program: '/usr/bin/caddy',
    listens: /(?<=^localhost)/m,
    whole: (lines) => `{\n  admin off\n  auto_https off\n}\n${lines}`,
    withTimeout: (config) => config,
    arguments: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
  Apache: {
    language: 'apache',
    program: '/usr/sbin/apache2',
    listens: /(?<=\*):443/,
    whole: (lines, dir) =>
      `ServerRoot ${dir}\nPidFile ${dir}/pid\nErrorLog ${dir}/error.log\nServerName localhost\nStartServers 1\n` +
      APACHE_MODULES.map(
        (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`,
      ).join('') +
      `Listen ${/(?<=\*:)\d+/.exec(lines)?.[0]}\n${lines}`,
    withTimeout: (config, seconds) => `${config}\nTimeout ${seconds}\n`,
    arguments: (file) => ['-f', file, '-DFOREGROUND'],
  },
};

export const PROXIES = Object.keys(KINDS) as ProxyName[];

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Why a proxy is not tried, for the name of the test; empty when it is. */
export function missing(name: ProxyName): string {
  const { program } = KINDS[name];
  if (!existsSync(program)) return ` (skipped: no ${program})`;
  return hasOpenssl ? '' : ' (skipped: no openssl for a certificate)';
}

export interface RunningProxy {
  /** `https://localhost:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Where Coredock listens. */
  port: number;
  certificate: Certificate;
  /** Where the proxy listens; a free port if absent. */
  ownPort?: number;
  /** Below the path of the document's table. */
  isBelowPath?: boolean;
  /** The time without data after which it closes a connection; the document's if absent. */
  timeoutSeconds?: number | undefined;
  /** What else is changed, for a configuration that is not as the document says. */
  change?: (config: string) => string;
}

/** Starts the real program with the configuration that stands in docs/proxies.md, with other names and ports. */
export async function startProxy(name: ProxyName, options: ProxyOptions): Promise<RunningProxy> {
  const kind = KINDS[name];
  const dir = await mkdtemp(join(tmpdir(), 'coredock-proxy-'));
  const listensAt = options.ownPort ?? (await freePort());
  const file = join(dir, 'config');
  await writeFile(file, configOf(name, options, listensAt, dir));
  const user = unprivilegedUser();
  if (user !== null) for (const path of [dir, file]) await chown(path, user.uid, user.gid);
  await chmod(dir, 0o700);
  const child = spawn(kind.program, kind.arguments(file, dir), {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir },
    ...user,
  });
  const log = outputOf(child);
  const ended = once(child, 'exit');
  try {
    await untilListening(listensAt, () => {
      if (child.exitCode !== null) throw new Error(`${name} ended at its start: ${log()}`);
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `https://localhost:${listensAt}`, close };

  async function close(): Promise<void> {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
    await ended;
    clearTimeout(timer);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function configOf(
  name: ProxyName,
  { port, certificate, isBelowPath = false, timeoutSeconds, change = (config) => config }: ProxyOptions,
  listensAt: number,
  dir: string,
): string {
  const kind = KINDS[name];
  const [, block = ''] = new RegExp(`^\`\`\`${kind.language}\\n(.*?)^\`\`\``, 'ms').exec(DOCUMENT) ?? [];
  const lines = (isBelowPath ? belowPath(name, block) : block)
    .replaceAll('coredock.example.org', 'localhost')
    .replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`)
    .replaceAll('/etc/ssl/coredock-with-key.pem', certificate.withKey)
    .replaceAll('/etc/ssl/coredock.pem', certificate.pem)
    .replaceAll('/etc/ssl/coredock.key', certificate.key)
    .replace(kind.listens, kind.language === 'nginx' ? String(listensAt) : `:${listensAt}`);
  if (!lines.includes(String(listensAt))) throw new Error(`the document's ${name} names no port:\n${block}`);
  const whole = change(kind.whole(lines, dir));
  return timeoutSeconds === undefined ? whole : kind.withTimeout(whole, timeoutSeconds);
}

/** The line of the document's table "Below a path", which may become two. */
function belowPath(name: ProxyName, block: string): string {
  const row = new RegExp(`^\\| ${name} \\| \`(.*?)\` \\| \`(.*?)\` \\|$`, 'm').exec(DOCUMENT);
  const [, before = '', after = ''] = row ?? [];
  if (before === '' || !block.includes(before))
    throw new Error(`the table's line of ${name} is not in its block`);
  return block.replace(before, after.replaceAll('`<br>`', '\n'));
}

export interface Certificate {
  readonly pem: string;
  readonly key: string;
  /** Both in one file. */
  readonly withKey: string;
  /** The text of `pem`, for clients that must trust it. */
  readonly text: string;
  remove(): Promise<void>;
}

/** A self-made certificate for localhost, which the proxies' own user may read. */
export async function aCertificate(): Promise<Certificate> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-certificate-'));
  await mkdir(dir, { recursive: true });
  const [pem, key, withKey] = ['cert.pem', 'cert.key', 'both.pem'].map((file) => join(dir, file)) as [
    string,
    string,
    string,
  ];
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', pem],
    ],
    { stdio: 'ignore' },
  );
  const text = readFileSync(pem, 'utf8');
  await writeFile(withKey, text + readFileSync(key, 'utf8'));
  await chmod(dir, 0o755);
  for (const file of [pem, key, withKey]) await chmod(file, 0o644);
  return { pem, key, withKey, text, remove: () => rm(dir, { recursive: true, force: true }) };
}

async function untilListening(port: number, check: () => void): Promise<void> {
  for (;;) {
    check();
    const socket = connect({ host: '127.0.0.1', port });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function outputOf(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-20_000);
    });
  }
  return () => text;
}
