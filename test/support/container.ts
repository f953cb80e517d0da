import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { eventually } from './app.js';
import { areInstalled } from './installed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Root, because nothing else may make file systems and name spaces without an engine. */
export const CAN_BUILD_IMAGES =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  areInstalled('buildah', 'debootstrap', 'unshare', 'chroot');

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coredock-test-images');
const BASE = 'localhost/coredock-test-node:24';

const inspected = z.looseObject({
  Docker: z.looseObject({
    config: z.looseObject({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      WorkingDir: z.string(),
      Volumes: z.record(z.string(), z.unknown()),
      ExposedPorts: z.record(z.string(), z.unknown()),
      StopSignal: z.string(),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.looseObject({ Test: z.array(z.string()) }),
    }),
  }),
});

export type ImageConfig = z.infer<typeof inspected>['Docker']['config'];

export interface Image {
  readonly config: ImageConfig;
  /** As `docker images` shows it. */
  readonly megabytes: number;
  readonly baseMegabytes: number;
  /** Runs a command in it, as its user and with its environment, and waits for the end. */
  run(args: readonly string[], environment?: Record<string, string>): Promise<Ended>;
  /** Its own command, as `docker run --read-only --tmpfs /tmp --volume …:/data` does: it is process 1. */
  start(environment: Record<string, string>): Promise<Container>;
  remove(): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export interface Container {
  /** Seen from here. */
  readonly pid: number;
  readonly data: string;
  readonly output: () => string;
  /** SIGTERM to process 1. */
  stop(): Promise<number | null>;
}

/**
 * Builds the image of the Dockerfile, with the tarball of the built program, on a base that is made here: Debian with a
 * Node 24 of the npm registry and the user `node`, like the official image. The base is kept for the next run.
 */
export async function buildImage(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'coredock-image-'));
  const buildah = await openStore(folder);
  if ((await buildah('images', '--quiet', '--filter', `reference=${BASE}`)) === '') {
    await makeBase(folder, buildah);
  }
  const tag = `localhost/coredock-test:${process.pid}`;
  const context = join(folder, 'context');
  await mkdir(context);
  for (const file of ['Dockerfile', 'package.json', 'package-lock.json', '.npmrc']) {
    await copyFile(join(ROOT, file), join(context, file));
  }
  const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', context], {
    cwd: ROOT,
  });
  await buildah(
    ...['bud', '--isolation', 'chroot', '--format', 'docker', '--layers=false', '--quiet', '--tag', tag],
    ...['--build-arg', `NODE_IMAGE=${BASE}`, '--build-arg', `TARBALL=${packed.stdout.trim()}`],
    ...['--build-arg', 'VERSION=1.2.3', '--build-arg', 'REVISION=0123abc', context],
  );
  const container = await buildah('from', tag);
  const root = await buildah('mount', container);
  const { config } = inspected.parse(JSON.parse(await buildah('inspect', '--type', 'image', tag))).Docker;
  return {
    config,
    megabytes: await megabytesOf(tag),
    baseMegabytes: await megabytesOf(BASE),
    run: (args, environment = {}) => ended(spawn('chroot', asUser(args, environment))),
    start: (environment) => start(environment),
    async remove() {
      await buildah('rm', container);
      await buildah('rmi', tag);
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function megabytesOf(image: string): Promise<number> {
    const size = await buildah('images', '--format', '{{.Size}}', image);
    return Number.parseFloat(size) * (size.endsWith('GB') ? 1000 : 1);
  }

  function asUser(args: readonly string[], environment: Record<string, string>): string[] {
    const variables = [
      ...config.Env,
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ];
    return [
      ...[`--userspec=${config.User}:${config.User}`, root, 'env', '-i', ...variables],
      ...['sh', '-c', 'cd "$0" && exec "$@"', config.WorkingDir, ...args],
    ];
  }

  async function start(environment: Record<string, string>): Promise<Container> {
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    // A new volume begins with what the image has in its place: the owner is what matters here.
    await run('chown', ['--reference', join(root, 'data'), data]);
    const command = asUser([...config.Entrypoint, ...config.Cmd], environment);
    const child = spawn(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-ec', IN_NAMESPACE, root, data, ...command],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const end = ended(child);
    let output = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const pid = await eventually(async () => childOf(child.pid ?? 0), 'the container has a process');
    return {
      pid,
      data,
      output: () => output,
      async stop() {
        process.kill(pid, 'SIGTERM');
        return (await end).code;
      },
    };
  }
}

/** `$0` is the root, `$1` the volume; then the arguments of chroot. */
const IN_NAMESPACE = `
data=$1; shift
mount --bind "$0" "$0"
mount --rbind /dev "$0/dev"
mount -t proc proc "$0/proc"
mount -t tmpfs tmpfs "$0/tmp"
mount --bind "$data" "$0/data"
mount -o remount,bind,ro "$0"
exec chroot "$@"
`;

type Buildah = (...args: readonly string[]) => Promise<string>;

/** Images in a store of their own, without layers that an engine would have to mount. */
async function openStore(folder: string): Promise<Buildah> {
  await mkdir(CACHE, { recursive: true });
  const settings = join(folder, 'storage.conf');
  await writeFile(
    settings,
    `[storage]\ndriver = "vfs"\ngraphroot = "${CACHE}/store"\nrunroot = "${CACHE}/run"\n`,
  );
  return async (...args) => {
    const { stdout } = await run('buildah', [...args], {
      env: { ...process.env, CONTAINERS_STORAGE_CONF: settings },
      maxBuffer: 1024 ** 3,
    });
    return stdout.trim();
  };
}

async function makeBase(folder: string, buildah: Buildah): Promise<void> {
  const root = join(folder, 'base');
  await run('debootstrap', ['--variant=minbase', 'bookworm', root], { maxBuffer: 1024 ** 3 });
  // As in the official image, which has no documents and no lists of packages.
  const unneeded = [
    'var/cache/apt',
    'var/lib/apt/lists',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ];
  for (const path of unneeded) await rm(join(root, path), { recursive: true, force: true });
  await run('chroot', [root, 'useradd', '--uid', '1000', '--user-group', '--create-home', 'node']);
  const node = `node-linux-${process.arch}`;
  await run('npm', [
    ...['install', '--prefix', join(folder, 'node'), '--ignore-scripts', '--no-audit', '--no-fund'],
    ...[`${node}@24`, 'npm@11'],
  ]);
  const packages = join(folder, 'node', 'node_modules');
  const modules = join(root, 'usr/local/lib/node_modules');
  await mkdir(modules, { recursive: true });
  await run('cp', [join(packages, node, 'bin/node'), join(root, 'usr/local/bin/node')]);
  await run('cp', ['-a', join(packages, 'npm'), modules]);
  await run('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')]);
  const container = await buildah('from', 'scratch');
  await buildah('add', '--quiet', container, root, '/');
  await buildah('config', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', '--cmd', 'node', container);
  await buildah('commit', '--quiet', '--rm', '--format', 'docker', container, BASE);
  await rm(root, { recursive: true, force: true });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

async function childOf(pid: number): Promise<number | null> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const [first] = children.trim().split(' ');
  return first === undefined || first === '' ? null : Number(first);
}
