import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { superviseSidecar } from '../../src/sidecar/supervisor.js';
import { eventually } from '../support/app.js';
import { aLog, aTransferFolder, CLI, isAnswering, parseOver } from './support.js';

describe('a supervised sidecar', () => {
  it('parses, and its log goes on in ours', async () => {
    const sidecar = await aSupervisedSidecar();

    expect(await parseOver(sidecar.url(), { core: 'a.dmp' })).toMatchObject({ status: 200 });
    expect(await parseOver(sidecar.url(), { core: 'none.dmp' })).toMatchObject({ status: 404 });
    const line = await eventually(
      async () => sidecar.entries.find(({ msg }) => msg === 'not parsed'),
      'the line came',
    );
    expect(line).toMatchObject({ level: 40, part: 'sidecar', core: 'none.dmp', status: 'missing' });
  });

  it('is there again under the same URL after it was killed, however often', async () => {
    const sidecar = await aSupervisedSidecar();
    const url = sidecar.url();

    for (let round = 1; round <= 3; round++) {
      process.kill(sidecar.pid(), 'SIGKILL');
      await sidecar.starts(round + 1);

      expect(sidecar.url()).toBe(url);
      expect(await parseOver(url)).toMatchObject({ status: 200 });
    }
    expect(sidecar.entries.filter(({ how }) => how === 'SIGKILL')).toHaveLength(3);
  });

  it('moves when another program took its port meanwhile, and tells where it is', async () => {
    const sidecar = await aSupervisedSidecar();
    const before = sidecar.url();

    await takePort(Number(new URL(before).port), () => process.kill(sidecar.pid(), 'SIGKILL'));
    await eventually(async () => sidecar.url() !== before, 'it has moved');

    expect(await parseOver(sidecar.url())).toMatchObject({ status: 200 });
  });

  it('is gone when it was closed, and no other comes', async () => {
    const sidecar = await aSupervisedSidecar();

    await sidecar.close();

    expect(await isAnswering(sidecar.url())).toBe(false);
    expect(isRunning(sidecar.pid())).toBe(false);
    expect(sidecar.entries.filter(({ msg }) => msg === UP)).toHaveLength(1);
  });

  it('can be closed while another is being started', async () => {
    const sidecar = await aSupervisedSidecar();

    process.kill(sidecar.pid(), 'SIGKILL');
    await eventually(async () => sidecar.entries.some(({ how }) => how === 'SIGKILL'), 'its end was seen');
    await sidecar.close();

    expect(await isAnswering(sidecar.url())).toBe(false);
  });

  it('refuses with one clear sentence when it cannot start', async () => {
    const { dir } = await aTransferFolder();
    const { log } = aLog();
    const xferDir = join(dir, 'a.dmp', 'below-a-file');

    await expect(superviseSidecar({ cliPath: CLI, xferDir, log })).rejects.toThrow(
      /^the parse sidecar did not start: .*below-a-file.*$/,
    );
  });

  it('ends with the process that supervises it, even when that one is killed', async () => {
    const { dir } = await aTransferFolder();
    const supervisor = new URL('../../src/sidecar/supervisor.ts', import.meta.url);
    const program = `
      const { superviseSidecar } = await import(${JSON.stringify(supervisor.href)});
      const { pino } = await import(${JSON.stringify(import.meta.resolve('pino'))});
      const log = pino({ level: 'silent' });
      const sidecar = await superviseSidecar({ cliPath: ${JSON.stringify(CLI)}, xferDir: ${JSON.stringify(dir)}, log });
      process.stdout.write(sidecar.url());`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const url = await new Promise<string>((resolve) =>
      parent.stdout.once('data', (text) => resolve(String(text))),
    );
    expect(await isAnswering(url)).toBe(true);

    parent.kill('SIGKILL');

    await eventually(async () => !(await isAnswering(url)), 'the sidecar is gone');
  });
});

const UP = 'parse sidecar is up';

async function aSupervisedSidecar() {
  const { dir } = await aTransferFolder();
  const { log, entries } = aLog();
  const sidecar = await superviseSidecar({ cliPath: CLI, xferDir: dir, log });
  onTestFinished(sidecar.close);
  const ups = () => entries.filter(({ msg }) => msg === UP);
  return {
    ...sidecar,
    entries,
    pid: () => Number(ups().at(-1)?.pid),
    starts: (count: number) => eventually(async () => ups().length >= count, `start ${count}`),
  };
}

/** Has the port freed and listens there itself, before the next sidecar does. */
async function takePort(port: number, free: () => void): Promise<void> {
  for (;;) {
    free();
    for (let attempt = 0; attempt < 200; attempt++) {
      const server = createServer();
      if (await listens(server, port)) {
        onTestFinished(() => void server.close());
        return;
      }
    }
  }
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
