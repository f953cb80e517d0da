import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/app.js';
import { fixture } from '../support/fixtures.js';
import { coredockIn, install, NODES, pack, sizeOf } from '../support/installed-package.js';
import { foundIn } from '../support/output.js';

const MB = 1024 * 1024;
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const call = promisify(execFile);
const thermostat = fixture('thermostat-1.0.0');

let [root, folder] = ['', ''];
let files: string[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'coredock-package-'));
  const packed = await pack(root);
  files = packed.files;
  folder = await install(packed.tarball, join(root, 'installed'));
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

describe('the packed package', () => {
  it('has what runs, and nothing of the sources, the tests, the demo or an earlier build', () => {
    const others = files.filter(
      (path) =>
        !/^(dist\/[\w.-]+\.(c?js|wasm|node|txt)|dist\/page\/[\w./-]+|dist\/graphiql\/[\w.-]+\.gz|dist\/types\/[\w./-]+\.d\.ts)$/.test(
          path,
        ) &&
        !/^prisma\/(sqlite|postgresql)\/migrations\/(\d+_\w+\/migration\.sql|migration_lock\.toml)$/.test(
          path,
        ) &&
        !['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'schema.graphql'].includes(path),
    );

    expect(others).toEqual([]);
    expect(files.filter((path) => /demo|\/\.|\.cache$|\.map$/.test(path))).toEqual([]);
  });

  it('takes 45 MB at most, and needs no other package', async () => {
    const installed = await sizeOf(join(folder, 'node_modules'));
    const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));

    expect(installed / MB).toBeLessThan(45);
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/coredock']);
  });

  it('runs no script when it is installed', async () => {
    const { scripts } = JSON.parse(
      await readFile(join(folder, 'node_modules/coredock/package.json'), 'utf8'),
    );

    expect(Object.keys(scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?(install|prepare)$/)]),
    );
  });
});

describe.each(NODES)('the installed package on %s', (node) => {
  it('comes from an empty folder to a report', async () => {
    const work = await mkdtemp(join(root, 'work-'));
    const env = { PATH: process.env.PATH ?? '' };
    const coredock = (...args: string[]) => call(node, [coredockIn(folder), ...args], { cwd: work, env });

    const init = await coredock('init', '--port', '0');
    const [, token = ''] = /^ {2}([\w-]{40,})$/m.exec(init.stdout) ?? [];
    const server = await started(node, work);
    const graphql = askerOf(server.url, token);
    await graphql(
      'mutation { createDeviceModel(input: { code: "thermostat", name: "T" }) { deviceModel { id } } }',
    );
    const { createDevice } = await graphql<{ createDevice: { device: { key: string }; token: string } }>(
      'mutation { createDevice(input: { modelCode: "thermostat" }) { device { key } token } }',
    );
    await call(
      node,
      [
        coredockIn(folder),
        'firmware',
        'upload',
        thermostat.elfPath,
        '--model',
        'thermostat',
        '--url',
        server.url,
      ],
      { cwd: work, env: { ...env, COREDOCK_TOKEN: token } },
    );
    const upload = await fetch(`${server.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${createDevice.token}` },
      body: await readFile(thermostat.dump('abort')),
    });
    expect(upload.status).toBe(201);
    const { coredumpId } = (await upload.json()) as { coredumpId: string };
    const dump = await eventually(async () => {
      const { coredump } = await graphql<{
        coredump: { parseStatus: string; report: { reason: string } | null };
      }>('query($id: ID!) { coredump(id: $id) { parseStatus report { reason } } }', { id: coredumpId });
      return coredump.parseStatus === 'PENDING' ? null : coredump;
    }, 'the report');
    expect(dump).toMatchObject({
      parseStatus: 'PARSED',
      report: { reason: expect.stringContaining('abort()') },
    });

    expect(await (await fetch(server.url, { headers: { Accept: 'text/html' } })).text()).toContain(
      'id="page"',
    );
    expect(await (await fetch(`${server.url}/graphiql/graphiql.js`)).text()).toContain('renderYogaGraphiQL');
    expect(await server.stop()).toBe(0);

    const parsed = await coredock('parse', '--core', thermostat.dump('abort'), '--elf', thermostat.elfPath);
    expect(parsed.stdout).toContain('abort()');
  });

  it('is a library whose types need nothing else', async () => {
    const consumer = await mkdtemp(join(folder, 'consumer-'));
    await writeFile(join(consumer, 'read.ts'), CONSUMER);
    await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT }));
    await call(process.execPath, [TSC, '-p', consumer]);
    await writeFile(join(consumer, 'main.js'), MAIN);

    const { stdout } = await call(node, [
      join(consumer, 'main.js'),
      ...[thermostat.dump('abort'), thermostat.elfPath],
    ]);

    expect(stdout).toMatch(/^abort\(\) was called .* in \w+/);
  });
});

const STRICT = {
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
  ...{ target: 'ES2022', lib: ['ES2022'], types: [], module: 'NodeNext', moduleResolution: 'NodeNext' },
};

/** What a user of the library writes, without the types of Node.js or of browsers. */
const CONSUMER = `
import { type CrashReport, openFirmware, readCrashDump, UnreadableDump } from 'coredock';

export function say(core: Uint8Array, elf: Uint8Array): string {
  try {
    const { report } = readCrashDump({ core, elf: openFirmware(elf) });
    return \`\${report.reason} in \${crashedFunction(report)}\`;
  } catch (error) {
    if (error instanceof UnreadableDump) return error.message;
    throw error;
  }
}

function crashedFunction({ tasks }: CrashReport): string {
  const frame = tasks.find((task) => task.crashed)?.frames.find((candidate) => candidate.file !== null);
  return frame?.function ?? '?';
}
`;

const MAIN = `
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { say } from './read.js';
const { resolve } = createRequire(import.meta.url);
readFileSync(resolve('coredock/schema.graphql'));
readFileSync(resolve('coredock/package.json'));
const [core, elf] = process.argv.slice(2).map((file) => readFileSync(file));
console.log(say(core, elf));
`;

async function started(node: string, cwd: string): Promise<{ url: string; stop(): Promise<number | null> }> {
  const child = spawn(node, [coredockIn(folder), 'start'], {
    cwd,
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = await Promise.race([
    foundIn(child.stderr, /"url":"(http:[^"]+)","msg":"Coredock is up"/),
    ended.then((code) => Promise.reject(new Error(`coredock start ended with ${code}`))),
  ]);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function askerOf(url: string, token: string) {
  return async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
}
