import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { aTask, CHIP, elfDump } from '../crashdump/builders.js';
import { fixture } from '../support/fixtures.js';
import { aSocket, statusOf } from '../support/http.js';
import { SAMPLE_ELF, samplePath } from '../support/sample-texts.js';
import { aDump, anElfOfSymbols, aSidecarServer, aTransferFolder, get, type Sidecar } from './support.js';

describe('GET /parse-coredump', () => {
  it('answers with the text and the report of the dump', async () => {
    const sidecar = await aSidecarServer();
    await sidecar.put('b.dmp', aDump({ task: 'sensor' }));

    const { status, headers, body } = await sidecar.parse({ core: 'b.dmp' });

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body.output).not.toBe('');
    expect(body.report?.crashedTask).toBe('sensor');
  });

  it('reads a dump alone when no ELF is named', async () => {
    const sidecar = await aSidecarServer();
    await sidecar.put('b.dmp', aDump({ task: 'sensor' }));

    const { status, body } = await get(`${sidecar.url}/parse-coredump?core=b.dmp&chip=esp32`);

    expect(status).toBe(200);
    expect(body.report).toMatchObject({
      crashedTask: 'sensor',
      elfMatches: false,
      warnings: [expect.objectContaining({ code: 'NO_FIRMWARE' })],
    });
  });

  it('reads a panic text, and answers 422 for a text that is no crash', async () => {
    const sidecar = await aSidecarServer();
    await sidecar.put('panic.txt', await readFile(samplePath({ file: 'registers-and-stack.txt' })));
    await sidecar.put('none.txt', await readFile(samplePath({ file: 'task-watchdog-goes-on.txt' })));
    await sidecar.put('own.elf', await readFile(SAMPLE_ELF));

    const crash = await sidecar.parse({ core: 'panic.txt', elf: 'own.elf' });
    const none = await sidecar.parse({ core: 'none.txt', elf: 'own.elf' });

    expect(crash.status).toBe(200);
    expect(crash.body.report).toMatchObject({ source: 'panic_text', elfMatches: true });
    expect(none).toMatchObject({ status: 422, body: { error: expect.stringMatching(/^This is no crash/) } });
  });

  it('reads a dump whose ELF is broken all the same, and says so', async () => {
    const sidecar = await aSidecarServer();
    await sidecar.put('broken.elf', 'no ELF');

    const { status, body } = await sidecar.parse({ elf: 'broken.elf' });

    expect(status).toBe(200);
    expect(body.report?.warnings.map(({ message }) => message).join()).toMatch(
      /ELF .*This is not an ELF file/,
    );
    expect(body.report?.crashedTask).toBe('main');
  });

  it('asks the folder of ROM ELFs, and reads on when one is broken', async () => {
    const roms = await aTransferFolder();
    await roms.put('esp32_rev0_rom.elf', 'no ELF');
    const sidecar = await aSidecarServer({ romElfDir: roms.dir });

    const { status, body } = await sidecar.parse({ chip: 'esp32' });

    expect(status).toBe(200);
    expect(body.report?.warnings.map(({ message }) => message).join()).toMatch(
      /ROM ELF .*esp32_rev0_rom\.elf/,
    );
  });

  it('blames the dump with 422 and one sentence when the dump cannot be read', async () => {
    const sidecar = await aSidecarServer();
    for (const garbage of ['', 'hello', Buffer.alloc(4096, 0xff), aDump().subarray(0, 15)]) {
      await sidecar.put('garbage.dmp', garbage);

      const { status, body } = await sidecar.parse({ core: 'garbage.dmp' });

      expect(status).toBe(422);
      expect(body.error).toMatch(/^\S.*\.$/);
    }
  });

  it('answers 404 when a file is missing, and names it', async () => {
    const sidecar = await aSidecarServer();

    expect(await sidecar.parse({ core: 'none.dmp' })).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining('none.dmp') },
    });
    expect(await sidecar.parse({ elf: 'none.elf' })).toMatchObject({ status: 404 });
  });

  it('refuses every name that could lead out of the transfer folder', async () => {
    const sidecar = await aSidecarServer();
    await mkdir(join(sidecar.dir, 'folder'));
    await writeFile(join(sidecar.dir, 'folder', 'inside.dmp'), aDump());
    const hostile = [
      ['', '.', '..', '../a.dmp', './a.dmp', 'folder/inside.dmp', '/etc/passwd', 'folder', '..\\a.dmp'],
      ['a.dmp\0', 'a.dmp\r\nX: y', 'a b', '%2e%2e%2fa.dmp', 'ä.dmp', 'C:a.dmp', 'a'.repeat(256)],
    ].flat();

    for (const name of hostile) {
      expect(await sidecar.parse({ core: name }), name).toMatchObject({ status: 400 });
      expect(await sidecar.parse({ elf: name }), name).toMatchObject({ status: 400 });
    }
    const twice = `${sidecar.url}/parse-coredump?core=a.dmp&core=../a.dmp&elf=a.elf&chip=esp32`;
    expect(await get(twice)).toMatchObject({ status: 400, body: { error: 'core is given twice' } });
    expect(await get(`${sidecar.url}/parse-coredump`)).toMatchObject({ status: 400 });
    expect(await sidecar.parse({ chip: '../esp32' })).toMatchObject({ status: 400 });
  });

  it('opens regular files alone: no link, no pipe, nothing oversized', async () => {
    const sidecar = await aSidecarServer();
    await symlink('/etc/passwd', join(sidecar.dir, 'link.dmp'));
    await symlink('a.dmp', join(sidecar.dir, 'inner-link.dmp'));
    await promisify(execFile)('mkfifo', [join(sidecar.dir, 'pipe.dmp')]);
    await aSparseFile(join(sidecar.dir, 'huge.dmp'), 2 ** 40);

    for (const core of ['link.dmp', 'inner-link.dmp', 'pipe.dmp', 'huge.dmp']) {
      expect(await sidecar.parse({ core }), core).toMatchObject({
        status: 400,
        body: { error: expect.stringContaining(core) },
      });
    }
  });

  it('names the functions of the crash as GDB does', async () => {
    const sidecar = await aSidecarServer();
    const build = fixture('thermostat-1.0.0');
    await sidecar.put('t.dmp', await readFile(build.dump('null-pointer')));
    await sidecar.put('t.elf', await readFile(build.elfPath));
    const crashed = (await build.oracle('null-pointer')).tasks[0];

    // Twice: once with the firmware new to the worker, once with the firmware known to it.
    for (let round = 0; round < 2; round++) {
      const { body } = await sidecar.parse({ core: 't.dmp', elf: 't.elf', chip: 'esp32c3' });

      expect(body.report?.crashedTask).toBe(crashed?.name);
      const functions = body.report?.tasks[0]?.frames.map((frame) => frame.function);
      const own = crashed?.frames.filter(({ kind }) => kind === 'normal').map((frame) => frame.function);
      expect(functions).toEqual(expect.arrayContaining(own ?? []));
    }
  });

  it('reads the dumps of two builds of one model, at once and a hundred times, each with its own ELF', async () => {
    const sidecar = await aSidecarServer();
    const builds = [fixture('thermostat-1.1.0'), fixture('thermostat-1.1.0-b')];
    for (const [index, build] of builds.entries()) {
      await sidecar.put(`${index}.dmp`, await readFile(build.dump('abort')));
      await sidecar.put(`${index}.elf`, await readFile(build.elfPath));
    }

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        sidecar.parse({ core: `${index % 2}.dmp`, elf: `${index % 2}.elf`, chip: 'esp32c3' }),
      ),
    );

    expect(answers.map(({ body }) => body.report?.elfMatches)).toEqual(answers.map(() => true));
  });

  it('parses many dumps at once, each its own', async () => {
    const sidecar = await aSidecarServer();
    const tasks = Array.from({ length: 100 }, (_, index) => `task${index}`);
    await Promise.all(tasks.map((task) => sidecar.put(`${task}.dmp`, aDump({ task }))));

    const answers = await Promise.all(tasks.map((task) => sidecar.parse({ core: `${task}.dmp` })));

    expect(answers.map(({ body }) => body.report?.crashedTask)).toEqual(tasks);
  });
});

describe('the endpoint', () => {
  it('tells that it is up', async () => {
    const { url } = await aSidecarServer();

    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('knows GET only, and two paths', async () => {
    const { url } = await aSidecarServer();

    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      const { status, headers } = await get(`${url}/parse-coredump`, { method });
      expect(status).toBe(405);
      expect(headers.get('allow')).toBe('GET');
    }
    expect(await get(`${url}/`)).toMatchObject({ status: 404 });
    expect(await get(`${url}/parse-coredump/x`)).toMatchObject({ status: 404 });
  });

  it('reads no body and no endless head', async () => {
    const { url } = await aSidecarServer();
    const withBody = aSocket(url);
    withBody.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nhello');
    const withHead = aSocket(url);
    withHead.send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(64 * 1024)}\r\n\r\n`);

    expect(statusOf(await withBody.closed)).toBe(413);
    expect(statusOf(await withHead.closed)).toBe(431);
  });
});

describe('hostile work', () => {
  it('costs its own attempt when it takes too long, and nothing else', async () => {
    const sidecar = await aSidecarServer({ timeoutMs: 100 });
    await aSlowDump(sidecar);

    const slow = await sidecar.parse({ core: 'slow.dmp' });

    expect(slow).toMatchObject({ status: 500, body: { error: 'parsing took longer than 100 ms' } });
    await untilParsed(sidecar);
  });

  it('costs its own attempt when it takes too much memory, and nothing else', async () => {
    const sidecar = await aSidecarServer({ maxOldSpaceMb: 32 });
    // Each symbol of 16 bytes becomes an object when they are sorted: many times the memory of the file.
    const bloatedElf = anElfOfSymbols(1_000_000);
    const appElfSha256 = createHash('sha256').update(bloatedElf).digest('hex');
    const tasks = [aTask({ pc: 0x400d1234 })];
    await sidecar.put('bloated.elf', bloatedElf);
    await sidecar.put(
      'bloated.dmp',
      elfDump({ machine: 'xtensa', tasks, appElfSha256 }, 'ELF SHA256 v2.1', CHIP.esp32),
    );

    const [bloated, ...others] = await Promise.all([
      sidecar.parse({ core: 'bloated.dmp', elf: 'bloated.elf' }),
      ...Array.from({ length: 20 }, () => sidecar.parse()),
    ]);

    expect(bloated).toMatchObject({
      status: 500,
      body: { error: 'parsing needed more than 32 MB of memory' },
    });
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
    await untilParsed(sidecar);
  });

  it('is put off with 503 when too much waits already', async () => {
    const sidecar = await aSidecarServer({ workers: 1 });
    await aSlowDump(sidecar);

    const slow = sidecar.parse({ core: 'slow.dmp' });
    const answers = await Promise.all(Array.from({ length: 200 }, () => sidecar.parse()));

    expect((await slow).status).toBe(200);
    const putOff = answers.filter(({ status }) => status === 503);
    expect(putOff.length).toBeGreaterThan(0);
    for (const { headers } of putOff) expect(headers.get('retry-after')).toBe('1');
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(answers.length - putOff.length);
  });
});

/** A dump with so much slack under its checksum that reading it takes a good part of a second. */
async function aSlowDump({ dir }: { dir: string }): Promise<void> {
  const path = join(dir, 'slow.dmp');
  const size = 250 * 1024 * 1024;
  await aSparseFile(path, size);
  const file = await open(path, 'r+');
  const header = Buffer.alloc(4);
  header.writeUInt32LE(size);
  const dump = aDump();
  await file.write(Buffer.concat([header, dump.subarray(4, -4)]), 0, dump.length - 4, 0);
  await file.close();
}

async function aSparseFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(size);
  await file.close();
}

/** A short deadline may hit an honest dump on a busy machine; what counts is that the sidecar still works. */
async function untilParsed(sidecar: Sidecar): Promise<void> {
  for (;;) if ((await sidecar.parse()).status === 200) return;
}
