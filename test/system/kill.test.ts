import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, eventually, type Stored, upload } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aFolder, aProgram, type Program } from '../support/program.js';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10);
const UPLOADS = 200;

describe('kill -9 of the server during uploads', () => {
  it(`loses no acknowledged dump, ${ROUNDS} times over`, { timeout: 600_000 }, async () => {
    const dir = await aFolder();
    const environment = { MAX_COREDUMPS: '100000', LOG_LEVEL: 'info' };
    const acknowledged: Array<Stored & { size: number }> = [];

    for (let round = 0; round < ROUNDS; round++) {
      const program = await aProgram('start', { dir, environment });
      if (round === 0) {
        await aDevice(program as never);
        await uploadFirmware(program, { elf: aFirmwareElf({ version: '1.0.0' }) });
      }
      const answers = uploadMany(program, round);
      // Somewhere in the middle, elsewhere each round: after some of this round's uploads were acknowledged.
      const enough = acknowledged.length + 1 + Math.floor((UPLOADS / 2) * (round / ROUNDS));
      await eventually(
        async () => acknowledged.length + answers.acknowledged.length >= enough,
        'enough uploads',
      );
      await program.stop('SIGKILL');
      await answers.settled;
      acknowledged.push(...answers.acknowledged);
    }

    const program = await aProgram('start', { dir, environment });
    const { nodes, files } = await everything(program);
    const rows = new Map(nodes.map((node) => [node.id, node]));
    for (const { coredumpId, filename, size } of acknowledged) {
      expect(rows.get(coredumpId)).toMatchObject({ filename, size });
      expect((await stat(join(dir, 'data/coredumps/dev1', filename))).size).toBe(size);
    }
    expect(nodes.map(({ filename }) => filename).sort()).toEqual(files.sort());
    expect(await readdir(join(dir, 'data/coredumps/.incoming'))).toEqual([]);
    // Some 2,000 parses; a busy machine needs its time.
    await eventually(async () => (await pending(program)) === 0, 'every dump has ended', {
      limitMs: 400_000,
      everyMs: 500,
    });
  });
});

function uploadMany(program: Program, round: number) {
  const acknowledged: Array<Stored & { size: number }> = [];
  const one = async (index: number) => {
    const body = `round ${round} dump ${index} ${'x'.repeat(index * 37)}`;
    try {
      const response = await upload(program, body);
      if (response.status === 201)
        acknowledged.push({ ...((await response.json()) as Stored), size: body.length });
    } catch {
      // The server was killed: this upload was never acknowledged.
    }
  };
  const settled = Promise.all(Array.from({ length: UPLOADS }, (_, index) => one(index)));
  return { acknowledged, settled };
}

interface Node {
  id: string;
  filename: string;
  size: number;
}

async function everything(program: Program): Promise<{ nodes: Node[]; files: string[] }> {
  const nodes: Node[] = [];
  let after: string | null = null;
  do {
    const {
      coredumps,
    }: { coredumps: { nodes: Node[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } =
      await program.graphql(
        'query ($after: String) { coredumps(first: 200, after: $after) { nodes { id filename size } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
    nodes.push(...coredumps.nodes);
    after = coredumps.pageInfo.hasNextPage ? coredumps.pageInfo.endCursor : null;
  } while (after !== null);
  return { nodes, files: await readdir(join(program.dir, 'data/coredumps/dev1')) };
}

async function pending(program: Program): Promise<number> {
  const { coredumps } = await program.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps(filter: { parseStatus: [PENDING] }) { totalCount } }',
  );
  return coredumps.totalCount;
}
