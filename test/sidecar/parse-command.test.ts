import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type ParseOptions, parseCommand } from '../../src/sidecar/parse-command.js';
import { run } from '../support/program.js';
import { aDump, aTransferFolder, CLI } from './support.js';

describe('coredock parse', () => {
  it('prints the report as text or JSON, with an ELF or without', async () => {
    const { dir } = await aTransferFolder();
    const core = join(dir, 'a.dmp');

    const plain = await parse({ core });
    const json = await parse({ core, elf: join(dir, 'a.elf'), format: 'json' });

    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toMatch(/\n$/);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ crashedTask: 'main' });
  });

  it('ends with 1 and one clear line on stderr when an input cannot be read', async () => {
    const { dir, put } = await aTransferFolder();
    await put('garbage', 'hello');
    const core = join(dir, 'a.dmp');
    const garbage = join(dir, 'garbage');
    const none = join(dir, 'none');

    for (const options of [
      { core: none },
      { core: garbage },
      { core: dir },
      { core, elf: none },
      { core, elf: garbage },
    ]) {
      const { code, stdout, stderr } = await parse(options);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^coredock parse: .+\n$/);
      expect(stderr).toContain(options.elf ?? options.core);
    }
  });

  it('ends with 2 when it is asked wrongly', async () => {
    const { dir } = await aTransferFolder();
    const core = join(dir, 'a.dmp');

    expect(await parse({ core, format: 'xml' })).toMatchObject({ code: 2, stdout: '' });
    expect((await run(['parse'])).code).toBe(2);
    expect((await run(['parse', '--core', core, '--colour'])).code).toBe(2);
  });

  it('does on the terminal what it does here', async () => {
    const { dir } = await aTransferFolder();
    const core = join(dir, 'a.dmp');
    const elf = join(dir, 'a.elf');

    const program = await run(['parse', '--core', core, '--elf', elf, '--chip', 'esp32']);

    expect(program).toEqual(await parse({ core, elf, chip: 'esp32' }));
  });

  it('bears a reader that has read enough', async () => {
    const { dir } = await aTransferFolder();
    const core = join(dir, 'b.dmp');
    await writeFile(core, aDump());
    const child = spawn(process.execPath, [CLI, 'parse', '--core', core], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();

    const [stderr, code] = await Promise.all([
      text(child.stderr),
      new Promise((resolve) => child.once('exit', resolve)),
    ]);

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });
});

async function parse(options: ParseOptions) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await parseCommand(options, { stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { code, stdout: out, stderr: err };
}
