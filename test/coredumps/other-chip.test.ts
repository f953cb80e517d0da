import { readFile } from 'node:fs/promises';
import pino, { type Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { FILES_COMPARED } from '../../src/compose/start-background.js';
import { readCrashDump } from '../../src/crashdump/index.js';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { ended } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';
import { sql } from '../support/sql.js';

const THERMOSTAT = fixture('thermostat-1.0.0');
const CHOOSE = `mutation ($id: ID!, $firmwareId: ID!) {
  parseCoredump(input: { id: $id, firmwareId: $firmwareId }) { coredump { chosenFirmware { id } } }
}`;
const REPARSE = 'mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }';

describe('a build of the same version for another chip', () => {
  it('is never used: the dump waits for its own, and says why', async () => {
    const { app, read } = await aDumpWith(aBuildForEsp32());

    expect(await read()).toMatchObject({
      parseStatus: 'ERROR',
      parseErrorKind: 'MISSING_FIRMWARE',
      firmware: null,
      waitingFor: { chip: 'esp32c3' },
      parsedOutput: expect.stringMatching(
        /^No firmware .*from the chip esp32c3; a build for esp32 is not used/,
      ),
    });
    expect(await app.graphql('{ missingFirmwares { coredumpCount } }')).toEqual({
      missingFirmwares: [{ coredumpCount: 1 }],
    });
  });

  it('is no reason to read the dump again, at a start, at its own arrival, or at that of one more', async () => {
    let comparisons = 0;
    const log = pino(
      { level: 'debug' },
      { write: (line) => void (line.includes(FILES_COMPARED) && comparisons++) },
    );
    const { app, id, sidecar } = await aDumpWith(aBuildForEsp32(), log);
    const before = sidecar.requests.length;

    await uploadFirmware(app, { elf: aBuildForEsp32('another'), version: '1.0.0' });
    await eventually(async () => comparisons > 0, 'the first comparison');
    const again = await app.restart();
    await eventually(async () => comparisons > 1, 'the second comparison');
    await ended(again, id);

    expect(sidecar.requests).toHaveLength(before);
  });

  it('is refused when a person asks for it', async () => {
    const { app, id, firmwareId, read } = await aDumpWith(aBuildForEsp32());
    const before = await read();

    await expect(app.graphql(CHOOSE, { id, firmwareId })).rejects.toThrow(
      /for the chip esp32, the dump is from esp32c3: choose a build for that chip.*BAD_USER_INPUT/,
    );

    expect(await read()).toEqual(before);
  });

  it('is found out before it is used, when an earlier release stored it without its chip', async () => {
    const { app, id, firmwareId, read } = await aDumpWith(aBuildForEsp32());
    await sql(app, `UPDATE "Firmware" SET "chip" = NULL, "warnings" = NULL, "elfVersion" = NULL`);

    await app.graphql(CHOOSE, { id, firmwareId });
    await ended(app, id);

    expect(await read()).toMatchObject({ parseErrorKind: 'MISSING_FIRMWARE', firmware: null });
    expect(await app.graphql('{ firmwares { nodes { chip elfVersion warnings { code } } } }')).toEqual({
      firmwares: {
        nodes: [
          {
            chip: 'esp32',
            elfVersion: '1.0.0',
            warnings: expect.arrayContaining([{ code: 'FIRMWARE_STRIPPED' }]),
          },
        ],
      },
    });
  });

  it('gives way to one of the chip, although a person chose it, and the report says so', async () => {
    const { app, id, firmwareId, read } = await aDumpWith(aBuildForEsp32());
    await sql(app, `UPDATE "Firmware" SET "chip" = NULL, "warnings" = NULL`);
    await app.graphql(CHOOSE, { id, firmwareId });
    await ended(app, id);

    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    await ended(app, id);

    expect(await read()).toMatchObject({
      parseStatus: 'PARSED',
      report: {
        elfMatches: true,
        warnings: [{ code: 'FIRMWARE_FOR_OTHER_CHIP', message: expect.stringContaining('was not used') }],
      },
    });
    await app.graphql(REPARSE, { id });
    await ended(app, id);
    expect(await read()).toMatchObject({ parseStatus: 'PARSED', report: { warnings: [] } });
  });

  it('is not that of a text either, whose chip its device alone told, until a person chooses it', async () => {
    let comparisons = 0;
    const log = pino(
      { level: 'debug' },
      { write: (line) => void (line.includes(FILES_COMPARED) && comparisons++) },
    );
    const core = await readFile(THERMOSTAT.dump('null-pointer'));
    const text = printPanic(openDump(core), 'Load access fault', { sha: 0 });
    const { app, sidecar, id, firmwareId, read } = await aDumpWith(aBuildForEsp32(), log, text);
    const before = sidecar.requests.length;
    const waiting = await read();

    await eventually(async () => comparisons > 0, 'the comparison of a start');
    await ended(app, id);
    expect(sidecar.requests).toHaveLength(before);
    await app.graphql(CHOOSE, { id, firmwareId });
    await ended(app, id);
    const chosen = await read();
    await app.graphql(REPARSE, { id });
    await ended(app, id);
    const own = await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    await ended(app, id);

    expect(waiting).toMatchObject({
      parseErrorKind: 'MISSING_FIRMWARE',
      parsedOutput: expect.stringMatching(/The text is from the chip esp32c3; a build for esp32 is not used/),
    });
    expect(chosen).toMatchObject({ parseStatus: 'PARSED', firmware: { id: firmwareId } });
    expect(await read()).toMatchObject({ parseStatus: 'PARSED', firmware: { id: own.id } });
  });
});

const aBuildForEsp32 = (note = '') => aFirmwareElf({ version: '1.0.0', note, isForEsp32: true });

async function aDumpWith(elf: Buffer, log?: Logger, crash?: string) {
  const sidecar = await aSidecar(
    ({ elf: name, coreBytes, elfBytes, chip }, response) => {
      const { output, report } = readCrashDump({ core: coreBytes, elf: name === '' ? null : elfBytes, chip });
      answerJson(response, 200, { output, report });
    },
    { readsWithoutBuild: true },
  );
  const app = await aServer(sidecar.environment, log === undefined ? {} : { log });
  await aDevice(app);
  const { id: firmwareId, chip } = await uploadFirmware(app, { elf, version: '1.0.0' });
  expect(chip).toBe('esp32');
  const { coredumpId: id } = await stored(app, crash ?? (await readFile(THERMOSTAT.dump('abort'))), {
    version: '1.0.0',
  });
  await ended(app, id);
  return { app, sidecar, id, firmwareId, read: () => reading(app, id) };
}

async function reading(app: TestApp, id: string): Promise<object> {
  const { coredump } = await app.graphql<{ coredump: object }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parseErrorKind parsedOutput parsedAt firmware { id } chosenFirmware { id } waitingFor { chip }
      report { elfMatches warnings { code message } }
    } }`,
    { id },
  );
  return coredump;
}
