import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { aGate, dump, ended } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

describe('a late answer', () => {
  it('does not revive a dump that was deleted meanwhile', async () => {
    const gate = aGate();
    const sidecar = await aSidecar(async (_, response) => {
      await gate.opened;
      answerJson(response, 200, { output: 'too late' });
    });
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId, filename } = await stored(app, 'dump');
    await eventually(async () => sidecar.requests.length === 1, 'the parse has begun');

    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: coredumpId,
    });
    gate.open();
    await eventually(async () => (await readdir(sidecar.xferDir)).length === 0, 'the attempt has ended');

    expect(await dump(app, coredumpId)).toBeNull();
    expect(await readdir(join(app.config.coredumpsDir, 'dev1')).catch(() => [])).not.toContain(filename);
  });

  it('does not overwrite a re-parse that was asked for meanwhile', async () => {
    const gates = [aGate(), aGate()];
    let calls = 0;
    const sidecar = await aSidecar(async (_, response) => {
      const call = calls++;
      await gates[call]?.opened;
      answerJson(response, 200, { output: `answer ${call}` });
    });
    const app = await aServer({ ...sidecar.environment, PARSE_CONCURRENCY: '2' });
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId } = await stored(app, 'dump');
    await eventually(async () => calls === 1, 'the first parse has begun');
    await app.graphql(
      'mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { parseStatus } } }',
      {
        id: coredumpId,
      },
    );
    await eventually(async () => calls === 2, 'the second parse has begun');

    gates[1]?.open();
    expect(await ended(app, coredumpId)).toMatchObject({ parsedOutput: 'answer 1' });
    gates[0]?.open();
    await eventually(async () => (await readdir(sidecar.xferDir)).length === 0, 'both attempts have ended');

    expect(await dump(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parsedOutput: 'answer 1' });
  });
});
