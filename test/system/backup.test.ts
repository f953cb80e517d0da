import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, eventually, stored } from '../support/app.js';
import { aFolder, aProgram, CLI, NODE, type Program, run } from '../support/program.js';
import { everythingOf } from '../support/stores.js';

/** A server with devices and an endless stream of uploads until `stop` is called. */
async function aBusyServer(environment: Record<string, string> = {}) {
  const program = await aProgram('serve', { environment: { LOG_LEVEL: 'info', ...environment } });
  const keys = ['dev1', 'dev2', 'dev3', 'dev4'];
  for (const key of keys) await aDevice(program, { key });
  const acknowledged: string[] = [];
  let isStopping = false;
  const senders = keys.map(async (device) => {
    for (let serial = 0; !isStopping; serial += 1) {
      const body = `${device} ${serial} `.repeat(1_000);
      const { coredumpId } = await stored(program, body, { device });
      acknowledged.push(coredumpId);
    }
  });
  onTestFinished(async () => {
    isStopping = true;
    await Promise.allSettled(senders);
  });
  return {
    program,
    acknowledged,
    async stop() {
      isStopping = true;
      await Promise.all(senders);
    },
  };
}

/** The command's settings are those of its folder's `.env` or defaults: `./data`. */
async function idsAndBytes(program: Program): Promise<{ ids: string[]; total: number }> {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { coredumps }: { coredumps: { nodes: Array<{ id: string }>; pageInfo: PageInfo } } =
      await program.graphql(
        'query ($after: String) { coredumps(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
    for (const { id } of coredumps.nodes) {
      const answer = await fetch(`${program.url}/api/coredumps/${id}/download`);
      expect(answer.status, id).toBe(200);
      await answer.arrayBuffer();
      ids.push(id);
    }
    if (!coredumps.pageInfo.hasNextPage) return { ids, total: ids.length };
    after = coredumps.pageInfo.endCursor;
  }
}

interface PageInfo {
  hasNextPage: boolean;
  endCursor: string | null;
}

describe('coredock backup', () => {
  it('under load has every dump that was acknowledged before it began, each with its bytes', async () => {
    const busy = await aBusyServer({ MAX_COREDUMPS: '100000' });
    await eventually(async () => busy.acknowledged.length >= 200, '200 uploads');
    const before = [...busy.acknowledged];

    const { code, stdout, stderr } = await run(['backup', 'backup'], { cwd: busy.program.dir });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^backed up \d+ core dumps/);
    await busy.stop();
    expect(busy.acknowledged.length).toBeGreaterThan(before.length);
    const restored = await aProgram('serve', { environment: at(join(busy.program.dir, 'backup')) });
    const { ids } = await idsAndBytes(restored);
    expect(ids).toEqual(expect.arrayContaining(before));
    expect(restored.log()).not.toContain('without a row');
  });

  it('has no row without bytes while retention removes what it is copying', async () => {
    const busy = await aBusyServer({ MAX_COREDUMPS: '10' });
    await eventually(async () => busy.acknowledged.length >= 200, '200 uploads');

    for (const name of ['one', 'two', 'three']) {
      const { code, stdout, stderr } = await run(['backup', name], { cwd: busy.program.dir });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const removed = Number(/^(\d+) dumps were removed/m.exec(stdout)?.[1] ?? 0);
      const restored = await aProgram('serve', {
        environment: { ...at(join(busy.program.dir, name)), MAX_COREDUMPS: '10' },
      });
      const { total } = await idsAndBytes(restored);
      // How many go between the snapshot and the copy of their bytes is a matter of speed; all four devices' ten are
      // accounted for.
      expect(total + removed).toBeGreaterThanOrEqual(40);
      await restored.stop('SIGTERM');
    }
  });
});

describe('coredock import', () => {
  it('killed at any moment leaves nothing that a second one minds', async () => {
    const busy = await aBusyServer({ MAX_COREDUMPS: '100000' });
    await eventually(async () => busy.acknowledged.length >= 300, '300 uploads');
    await busy.stop();
    const before = await idsAndBytes(busy.program);
    const some = await everythingOf(busy.program);
    await busy.program.stop('SIGTERM');
    expect(await run(['export', 'archive'], { cwd: busy.program.dir })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const target = await aFolder();
    const archive = join(busy.program.dir, 'archive');
    const seen = () => existsSync(join(target, 'data', 'coredumps', 'dev1'));

    for (let kills = 0; kills < 6; kills += 1) {
      const child = spawn(NODE, [CLI, 'import', archive], { cwd: target, stdio: 'ignore' });
      const exited = once(child, 'exit');
      await Promise.race([exited, eventually(async () => seen(), 'bytes are coming')]);
      await new Promise((resolve) => setTimeout(resolve, kills * 30));
      child.kill('SIGKILL');
      await exited;
    }
    const last = await run(['import', archive], { cwd: target });

    // The last of those killed may have been through.
    if (last.code !== 0) expect(last.stderr).toContain('has rows in');
    const moved = await aProgram('serve', { dir: target });
    expect(await idsAndBytes(moved)).toEqual(before);
    expect(await everythingOf(moved)).toEqual(some);
  });

  it('tells what is wrong in one line', async () => {
    const { code, stdout, stderr } = await run(['import', 'nowhere'], { cwd: await aFolder() });

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^coredock: \S+nowhere is not a finished export: it has no manifest\.json\n$/);
  });
});

function at(folder: string): Record<string, string> {
  return {
    LOG_LEVEL: 'info',
    DATABASE_URL: `file:${join(folder, 'coredock.db')}`,
    COREDUMPS_DIR: join(folder, 'coredumps'),
    ASSETS_DIR: join(folder, 'firmware'),
  };
}
