import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type ParseOptions, parseCommand } from '../../src/sidecar/parse-command.js';
import { fixture } from '../support/fixtures.js';
import { run } from '../support/program.js';
import { SAMPLE_ELF, samplePath } from '../support/sample-texts.js';
import { aDump, aTransferFolder, CLI } from './support.js';

/** A line of memory as it is printed: address, then words. */
const CONTENTS = /^0x[0-9a-f]{8} <s_stacks\+\d+>:(\s+0x[0-9a-f]{8}){4}$/m;

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
    for (const files of [[], [core, core], ['--core', core, core]]) {
      const { code, stderr } = await run(['parse', ...files]);
      expect(code).toBe(2);
      expect(stderr).not.toBe('');
    }
  });

  it('does on the terminal what it does here', async () => {
    const { dir } = await aTransferFolder();
    const core = join(dir, 'a.dmp');
    const elf = join(dir, 'a.elf');

    const program = await run(['parse', '--core', core, '--elf', elf, '--chip', 'esp32']);

    expect(program).toEqual(await parse({ core, elf, chip: 'esp32' }));
  });

  it('reads a dump or text by its name alone, or from standard input', async () => {
    const panic = samplePath({ file: 'console-log.txt' });
    const named = await run(['parse', panic, '--elf', SAMPLE_ELF]);
    const piped = await run(['parse', '-', '--elf', SAMPLE_ELF], { input: await readFile(panic) });
    const dump = fixture('thermostat-1.0.0').dump('abort');

    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toContain('Panic reason: Load access fault at 0x0000000c');
    expect(named.stdout).toMatch(/^#0 {2}sensor_convert \(.*\) at \/firmware\/main\/sensor\.c:18$/m);
    expect(piped).toEqual(named);
    expect((await run(['parse', dump])).stdout).toBe((await run(['parse', '--core', dump])).stdout);
    expect(await run(['parse', '-'], { input: Buffer.from('hello') })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^coredock parse: standard input: .+\n$/),
    });
  });

  it('shows a text that is no crash, and says that it is none', async () => {
    const { code, stdout } = await parse({ core: samplePath({ file: 'task-watchdog-goes-on.txt' }) });

    expect(code).toBe(0);
    expect(stdout).toContain('Warning: This is no crash');
  });

  it('adds the contents of memory when it is asked to', async () => {
    const thermostat = fixture('thermostat-1.0.0');
    const [core, elf] = [thermostat.dump('abort'), thermostat.elfPath];

    const without = await run(['parse', '--core', core, '--elf', elf]);
    const withMemory = await run(['parse', '--core', core, '--elf', elf, '--print-mem']);

    expect(withMemory.code).toBe(0);
    expect(without.stdout).not.toMatch(CONTENTS);
    expect(withMemory.stdout).toMatch(CONTENTS);
  });

  it('says which folder of ROM ELFs, and which ROM ELF, cannot be read', async () => {
    const { dir, put } = await aTransferFolder();
    await put('esp32_rev0_rom.elf', 'no ELF');
    const core = join(dir, 'a.dmp');

    const noFolder = await run(['parse', '--core', core], {
      environment: { ESP_ROM_ELF_DIR: join(dir, 'none') },
    });
    const noElf = await run(['parse', '--core', core, '--chip', 'esp32', '--format', 'json'], {
      environment: { ESP_ROM_ELF_DIR: dir },
    });

    expect(noFolder).toMatchObject({ code: 1, stdout: '' });
    expect(noFolder.stderr).toMatch(
      /^coredock parse: ESP_ROM_ELF_DIR: the folder .+none cannot be read: .+\n$/,
    );
    expect(noElf).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.stringify(JSON.parse(noElf.stdout).warnings)).toMatch(/ROM ELF .*esp32_rev0_rom\.elf/);
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
