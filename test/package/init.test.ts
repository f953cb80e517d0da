import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aFolder, aProgram, run } from '../support/program.js';

const TOKEN = /^ {2}([\w-]{43})$/m;

describe('coredock init', () => {
  it('writes settings that nobody else can read, with which the server knows the token that it prints', async () => {
    const dir = await aFolder();

    const { code, stdout, stderr } = await run(['init', '--port', '0'], { cwd: dir });

    expect([code, stderr]).toEqual([0, '']);
    const [, token = ''] = TOKEN.exec(stdout) ?? [];
    const settings = await readFile(join(dir, '.env'), 'utf8');
    expect(settings).not.toContain(token);
    expect((await stat(join(dir, '.env'))).mode & 0o777).toBe(0o600);
    const { url } = await aProgram('serve', { dir });
    const ask = (headers: Record<string, string>) => fetch(`${url}/schema.graphql`, { headers });
    expect((await ask({ Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await ask({})).status).toBe(401);
  });

  it('says the next two commands', async () => {
    const { stdout } = await run(
      ['init', '--host', '0.0.0.0', '--public-url', 'https://crashes.example.org'],
      {
        cwd: await aFolder(),
      },
    );

    const [, token = ''] = TOKEN.exec(stdout) ?? [];
    expect(stdout).toContain('\n  coredock start\n');
    expect(stdout).toContain(
      `\n  COREDOCK_TOKEN=${token} coredock firmware upload build/app.elf --model CODE --url https://crashes.example.org\n`,
    );
  });

  it.each([
    ['0.0.0.0', 'http://127.0.0.1:4000'],
    ['::', 'http://[::1]:4000'],
    ['::1', 'http://[::1]:4000'],
    ['192.168.1.10', 'http://192.168.1.10:4000'],
  ])('says the address of a server that listens on %s', async (host, url) => {
    const { stdout } = await run(['init', '--host', host], { cwd: await aFolder() });

    expect(stdout).toContain(` --url ${url}\n`);
    expect(stdout).toContain(`\nThe page is at ${url}: `);
  });

  it('makes another token each time', async () => {
    const runs = await Promise.all([1, 2].map(async () => run(['init'], { cwd: await aFolder() })));

    expect(new Set(runs.map(({ stdout }) => TOKEN.exec(stdout)?.[1])).size).toBe(2);
  });

  it('leaves an .env alone that is there, and says what to do', async () => {
    const dir = await aFolder();
    await writeFile(join(dir, '.env'), 'PORT=4321\n');

    const { code, stdout, stderr } = await run(['init'], { cwd: dir });

    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^coredock: \.env is there already, .* move it away first\n$/);
    expect(await readFile(join(dir, '.env'), 'utf8')).toBe('PORT=4321\n');
  });

  it.each([
    [['--port', '70000'], 2, /--port/],
    [['--host', 'two words'], 1, /^coredock: --host: "two words" is neither an address nor a host name\n$/],
    [['--public-url', 'crashes.example.org'], 1, /^coredock: PUBLIC_URL: /],
  ])('refuses %j and writes nothing', async (args, expected, message) => {
    const dir = await aFolder();

    const { code, stderr } = await run(['init', ...args], { cwd: dir });

    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
    await expect(stat(join(dir, '.env'))).rejects.toThrow('ENOENT');
  });

  it.skipIf(process.getuid?.() === 0)('says which folder it may not write', async () => {
    const dir = await aFolder();
    await chmod(dir, 0o555);

    const { code, stderr } = await run(['init'], { cwd: dir });

    expect([code, stderr]).toEqual([
      1,
      'coredock: .env cannot be written here (EACCES); change to a folder of yours\n',
    ]);
  });
});
