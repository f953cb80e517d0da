import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { aGate, dump, ended, metric } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

describe('parsing', () => {
  it('hands the dump and its firmware’s ELF to the sidecar and stores what it says', async () => {
    const sidecar = await aSidecar((_, response) =>
      answerJson(response, 200, { output: 'the report', report: { reason: 'abort()', elfMatches: true } }),
    );
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    const elf = aFirmwareElf({ version: '1.0.0' });
    await uploadFirmware(app, { elf });

    const { coredumpId } = await stored(app, 'the dump', { chip: 'esp32c3' });

    expect(await ended(app, coredumpId)).toMatchObject({
      parseStatus: 'PARSED',
      parseAttempts: 1,
      parsedOutput: 'the report',
      firmware: { version: '1.0.0' },
      report: { reason: 'abort()' },
    });
    expect(sidecar.requests).toHaveLength(1);
    expect(sidecar.requests[0]).toMatchObject({
      chip: 'esp32c3',
      coreBytes: Buffer.from('the dump'),
      elfBytes: elf,
    });
    expect(await readdir(sidecar.xferDir)).toEqual([]);
    expect(await metric(app, 'coredump_parse_total{status="success"} 1')).toBe(true);
  });

  it('leaves a dump PENDING, uncounted, when no sidecar is configured, and reads it when one is', async () => {
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId } = await stored(app, 'dump');

    expect(await dump(app, coredumpId)).toMatchObject({ parseStatus: 'PENDING', parseAttempts: 0 });
    await expect(
      app.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
        id: coredumpId,
      }),
    ).rejects.toThrow('PARSER_NOT_CONFIGURED');

    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'read at last' }));
    const withParser = await app.restart(sidecar.environment);
    expect(await ended(withParser, coredumpId)).toMatchObject({
      parseStatus: 'PARSED',
      parsedOutput: 'read at last',
    });
  });

  describe('without firmware', () => {
    it('ends at once, naming model and version, and is read when the firmware arrives', async () => {
      const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'with firmware' }));
      const app = await aServer(sidecar.environment);
      await aDevice(app);

      const { coredumpId } = await stored(app, 'dump', { version: '1.0.0' });
      const before = await ended(app, coredumpId);
      await uploadFirmware(app, { elf: aFirmwareElf({ version: '2.0.0' }) });
      const other = await dump(app, coredumpId);
      await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }) });

      expect(before.parseStatus).toBe('ERROR');
      expect(before.parsedOutput).toContain('No firmware for model "thermostat" version "1.0.0"');
      expect(other?.parseStatus).toBe('ERROR');
      await eventually(
        async () => (await dump(app, coredumpId))?.parseStatus === 'PARSED',
        'the dump is read',
      );
    });

    it('is read however close the firmware’s arrival is to the search for it', async () => {
      const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'ok' }));
      const app = await aServer(sidecar.environment);
      await aDevice(app);

      const [dumps] = await Promise.all([
        Promise.all(Array.from({ length: 10 }, (_, index) => stored(app, `dump ${index}`))),
        uploadFirmware(app, {}),
      ]);

      for (const { coredumpId } of dumps) {
        await eventually(
          async () => (await dump(app, coredumpId))?.parseStatus === 'PARSED',
          'the dump is read',
        );
      }
    });
  });

  describe('after a restart', () => {
    it('takes up what was unfinished and finishes it', async () => {
      const gate = aGate();
      let calls = 0;
      const sidecar = await aSidecar(async (_, response) => {
        calls++;
        if (calls === 1) await gate.opened;
        answerJson(response, 200, { output: `answer ${calls}` });
      });
      const app = await aServer(sidecar.environment);
      await aDevice(app);
      await uploadFirmware(app, {});
      const { coredumpId } = await stored(app, 'dump');
      await eventually(async () => calls === 1, 'the parse has begun');

      const again = await app.restart();
      gate.open();

      // The stop handed the first attempt back: it does not count.
      expect(await ended(again, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parseAttempts: 1 });
    });
  });

  it('gives each of two builds of one model its own ELF, 100 times over', async () => {
    const sidecar = await aSidecar((request, response) =>
      answerJson(response, 200, {
        output: `${request.coreBytes} ${request.elfBytes.includes('build-A') ? 'A' : 'B'}`,
      }),
    );
    const app = await aServer({ ...sidecar.environment, MAX_COREDUMPS: '200', PARSE_CONCURRENCY: '8' });
    await aDevice(app);
    await uploadFirmware(app, { elf: aFirmwareElf({ version: 'a', note: 'build-A' }) });
    await uploadFirmware(app, { elf: aFirmwareElf({ version: 'b', note: 'build-B' }) });

    const dumps = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const version = index % 2 === 0 ? 'a' : 'b';
        return {
          ...(await stored(app, `${index}`, { version })),
          expected: `${index} ${version.toUpperCase()}`,
        };
      }),
    );

    for (const { coredumpId, expected } of dumps)
      expect((await ended(app, coredumpId)).parsedOutput).toBe(expected);
  });

  it('reads again every dump of a filter', async () => {
    let calls = 0;
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: `call ${++calls}` }));
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }) });
    const dumps = [
      await stored(app, 'a'),
      await stored(app, 'b'),
      await stored(app, 'c', { chip: 'esp32s3' }),
    ];
    for (const { coredumpId } of dumps) await ended(app, coredumpId);

    const { reparseCoredumps } = await app.graphql<{ reparseCoredumps: { count: number } }>(
      'mutation { reparseCoredumps(input: { filter: { chip: ["esp32c3"] } }) { count } }',
    );

    expect(reparseCoredumps.count).toBe(2);
    await eventually(async () => calls === 5, 'both were read again');
  });
});
