import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foundIn } from '../support/output.js';
import { run } from '../support/program.js';
import { aTransferFolder, CLI, isAnswering, parseOver } from './support.js';

describe('coredock sidecar', () => {
  it('says where it is, parses, and ends at SIGTERM and SIGINT with exit code 0', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const sidecar = await aSidecarCommand();

      expect(await parseOver(sidecar.url)).toMatchObject({ status: 200 });
      expect(sidecar.log().trim().split('\n')).toHaveLength(1);
      expect(await sidecar.stop(signal)).toBe(0);
      expect(await isAnswering(sidecar.url)).toBe(false);
    }
  });

  it('refuses a port that is in use with one clear line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const { dir } = await aTransferFolder();

    const { code, stderr } = await run(['sidecar', '--port', String(port), '--xfer-dir', dir]);

    expect(code).toBe(1);
    expect(stderr).toBe(`coredock: 127.0.0.1:${port} is in use by another program; choose another --port\n`);
  });

  it.each([
    [['sidecar', '--port', '65536'], '0 to 65535'],
    [['firmware', 'upload', 'x.elf', '--model', 'm', '--url', 'http://x', '--retries', 'many'], '0 to 1000'],
  ])('refuses a number that is none, or too large, and says which: %j', async (args, range) => {
    const { code, stderr } = await run(args);

    expect(code).toBe(2);
    expect(stderr).toContain(`It must be a whole number from ${range}.`);
  });

  it('refuses a transfer folder that cannot be, and settings that make no sense, with one line each', async () => {
    const { dir } = await aTransferFolder();

    const noFolder = await run(['sidecar', '--port', '0', '--xfer-dir', join(dir, 'a.dmp', 'below-a-file')]);
    const noRoms = await run(['sidecar', '--port', '0', '--xfer-dir', dir], {
      environment: { ESP_ROM_ELF_DIR: join(dir, 'none') },
    });
    const noSense = await run(['sidecar', '--port', '0', '--xfer-dir', dir], {
      environment: { PARSE_TIMEOUT_MS: 'soon', PARSE_CONCURRENCY: '0' },
    });

    expect(noFolder.code).toBe(1);
    expect(noFolder.stderr.trim().split('\n')).toEqual([expect.stringContaining('below-a-file')]);
    expect(noRoms.code).toBe(1);
    expect(noRoms.stderr).toMatch(/^coredock: ESP_ROM_ELF_DIR: the folder .+none cannot be read: .+\n$/);
    expect(noSense.code).toBe(1);
    expect(noSense.stderr.trim().split('\n')).toEqual([
      expect.stringContaining('PARSE_CONCURRENCY'),
      expect.stringContaining('PARSE_TIMEOUT_MS'),
    ]);
  });
});

async function aSidecarCommand() {
  const { dir } = await aTransferFolder();
  const child = spawn(process.execPath, [CLI, 'sidecar', '--port', '0', '--xfer-dir', dir], {
    cwd: dir,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const url = await Promise.race([
    foundIn(child.stderr, /"url":"(http:[^"]+)"/),
    exited.then(() => Promise.reject(new Error(`coredock sidecar ended: ${log}`))),
  ]);
  return {
    url,
    log: () => log,
    async stop(signal: 'SIGTERM' | 'SIGINT') {
      child.kill(signal);
      return exited;
    },
  };
}
