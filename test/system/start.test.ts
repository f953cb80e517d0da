import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { aDevice, eventually, stored } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { aFolder, aProgram, run } from '../support/program.js';

const STATUS =
  'subscription ($id: ID, $device: ID) { parseStatus(coredumpId: $id, deviceId: $device) { id parseStatus parsedOutput } }';

interface Status {
  parseStatus: { id: string; parseStatus: string; parsedOutput: string | null };
}

describe('coredock start', () => {
  it('turns a crash into a report that GraphQL has and every subscriber has seen come', async () => {
    const program = await aProgram('start');
    const device = await aDevice(program as never);
    const thermostat = fixture('thermostat-1.0.0');
    await uploadFirmware(program, { elf: await readFile(thermostat.elfPath) });
    const overSse = createSseClient({ url: `${program.url}/graphql` });
    const overWs = createWsClient({
      url: `${program.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    onTestFinished(async () => {
      overSse.dispose();
      await overWs.dispose();
    });
    const seen = { sse: [] as string[], ws: [] as string[] };
    const variables = { device: device.id };
    const follow = async (events: AsyncIterable<{ data?: Status | null | undefined }>, into: string[]) => {
      for await (const { data } of events) {
        if (data == null) continue;
        into.push(data.parseStatus.parseStatus);
        if (data.parseStatus.parseStatus !== 'PENDING') return;
      }
    };
    const followers = Promise.all([
      follow(overSse.iterate<Status>({ query: STATUS, variables }), seen.sse),
      follow(overWs.iterate<Status>({ query: STATUS, variables }), seen.ws),
    ]);
    await eventually(
      async () => (await metricsOf(program.url)).includes('coredump_event_subscribers 2'),
      'both have subscribed',
    );

    const { coredumpId } = await stored(program, await readFile(thermostat.dump('null-pointer')));
    await followers;

    expect(seen).toEqual({ sse: ['PENDING', 'PARSED'], ws: ['PENDING', 'PARSED'] });
    const { coredump } = await program.graphql<{
      coredump: {
        report: {
          crashedTask: string;
          elfMatches: boolean;
          tasks: { crashed: boolean; frames: { function: string }[] }[];
        };
      };
    }>(
      `query ($id: ID!) { coredump(id: $id) { report {
        crashedTask elfMatches tasks { crashed frames { function } }
      } } }`,
      { id: coredumpId },
    );
    expect(coredump.report.elfMatches).toBe(true);
    const frames =
      coredump.report.tasks.find(({ crashed }) => crashed)?.frames.map((frame) => frame.function) ?? [];
    expect(frames).toEqual(expect.arrayContaining(['vPortTaskWrapper']));
    expect(frames.length).toBeGreaterThan(2);
  });

  it('ends at SIGTERM, its sidecar with it, with exit code 0', async () => {
    const program = await aProgram('start');
    const sidecar = await sidecarOf(program.log);

    expect(await program.stop('SIGTERM')).toBe(0);
    await eventually(async () => !(await answers(sidecar)), 'the sidecar is gone');
  });

  it('takes its sidecar with it when it is killed', async () => {
    const program = await aProgram('start');
    const sidecar = await sidecarOf(program.log);

    await program.stop('SIGKILL');
    await eventually(async () => !(await answers(sidecar)), 'the sidecar is gone');
  });

  it('refuses a second server on the same data with one clear line', async () => {
    const dir = await aFolder();
    await aProgram('start', { dir });

    const second = await run(['serve'], { cwd: dir, environment: { PORT: '0' } });

    expect(second.code).toBe(1);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toContain('in use by another Coredock server');
  });

  it('refuses to start with one clear line a problem', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const lines = async (environment: Record<string, string>) => {
      const { code, stderr } = await run(['serve'], { cwd: await aFolder(), environment });
      expect(code).toBe(1);
      return stderr.trim().split('\n');
    };

    expect(await lines({ PORT: 'x', MAX_COREDUMPS: '0' })).toHaveLength(2);
    expect(await lines({ PORT: port })).toEqual([
      expect.stringMatching(new RegExp(`PORT: 127\\.0\\.0\\.1:${port} is in use`)),
    ]);
    expect(await lines({ HOST: '192.0.2.7', ALLOW_UNAUTHENTICATED: 'true' })).toEqual([
      expect.stringMatching(/HOST: .*192\.0\.2\.7/),
    ]);
    expect(await lines({ HOST: 'nobody.invalid', ALLOW_UNAUTHENTICATED: 'true' })).toEqual([
      expect.stringMatching(/HOST: .*nobody\.invalid/),
    ]);
    expect(await lines({ PORT: '0', COREDUMPS_DIR: '/etc/hostname/dumps' })).toEqual([
      expect.stringContaining('/etc/hostname/dumps'),
    ]);
    expect(await lines({ PORT: '0', DATABASE_URL: 'file:/etc/hostname/x.db' })).toHaveLength(1);
  });

  it('looks at its port before it leaves anything behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const dir = await aFolder();

    const { code, stderr } = await run(['start'], { cwd: dir, environment: { PORT: port } });

    expect(code).toBe(1);
    expect(stderr).toContain('PORT: ');
    expect(await readdir(dir)).toEqual([]);
  });

  it('migrates, and says what it did', async () => {
    const dir = await aFolder();

    expect((await run(['migrate'], { cwd: dir })).stdout).toContain('_init');
    expect((await run(['migrate'], { cwd: dir })).stdout).toContain('nothing to do');
    expect(await readdir(join(dir, 'data'))).toContain('coredock.db');
  });
});

describe('health', () => {
  it('tells the process, its parts and its metrics', async () => {
    const program = await aProgram('start');
    const readyz = await fetch(`${program.url}/readyz`);

    expect((await fetch(`${program.url}/healthz`)).status).toBe(200);
    expect(readyz.status).toBe(200);
    expect(await readyz.json()).toEqual({
      status: 'ok',
      database: 'ok',
      storage: 'ok',
      sidecar: 'ok',
      storageLost: [],
    });
    const metrics = await metricsOf(program.url);
    for (const name of [
      'iot_upload_coredump_total',
      'iot_upload_coredump_duration_seconds',
      'coredump_parse_total',
      'coredump_parse_duration_seconds',
      'coredump_parse_queue_depth',
      'coredumps{status="PENDING"} 0',
    ]) {
      expect(metrics).toContain(name);
    }
  });

  it('is ready without a sidecar: dumps are stored all the same', async () => {
    const program = await aProgram('serve');
    const readyz = await fetch(`${program.url}/readyz`);

    expect(readyz.status).toBe(200);
    expect(await readyz.json()).toMatchObject({ sidecar: 'down' });
  });
});

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** The supervisor logs where its sidecar is. */
async function sidecarOf(log: () => string): Promise<string> {
  return eventually(async () => /"sidecar":"(http:[^"]+)"/.exec(log())?.[1], 'the sidecar is up');
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );
}
