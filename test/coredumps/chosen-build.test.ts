import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readCrashDump } from '../../src/crashdump/index.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { type FixtureName, fixture } from '../support/fixtures.js';
import { ended } from '../support/parsed-dump.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const CHOOSE = `mutation ($id: ID!, $firmwareId: ID!) {
  parseCoredump(input: { id: $id, firmwareId: $firmwareId }) {
    coredump { parseStatus reason chosenFirmware { version } }
  }
}`;
const REPARSE = `mutation ($id: ID!) {
  reparseCoredump(input: { id: $id }) { coredump { parseStatus chosenFirmware { version } } }
}`;

describe('a dump whose own build is missing', () => {
  it('is read with another build that a person chose', async () => {
    const { app, coredumpId } = await aDumpWithoutBuild();
    const firmwareId = await uploaded(app, 'thermostat-1.1.0');

    const answer = await app.graphql(CHOOSE, { id: coredumpId, firmwareId });
    await ended(app, coredumpId);

    expect(answer).toEqual({
      parseCoredump: {
        coredump: { parseStatus: 'PENDING', reason: null, chosenFirmware: { version: '1.1.0' } },
      },
    });
    expect(await reading(app, coredumpId)).toMatchObject({
      parseStatus: 'PARSED',
      firmware: { version: '1.1.0' },
      chosenFirmware: { version: '1.1.0' },
      crashKind: 'ABORT',
      crashedTask: expect.any(String),
      report: {
        elfMatches: false,
        warnings: expect.arrayContaining([{ message: expect.stringContaining('was chosen') }]),
      },
    });
    expect((await reading(app, coredumpId)).parsedOutput).toContain('Warning: the dump names the ELF');
  });

  it('keeps that build when its own arrives, until it is read again by itself', async () => {
    const { app, coredumpId } = await aDumpWithoutBuild();
    const other = await uploaded(app, 'thermostat-1.1.0');
    await app.graphql(CHOOSE, { id: coredumpId, firmwareId: other });
    await ended(app, coredumpId);
    const before = await reading(app, coredumpId);

    await uploaded(app, 'thermostat-1.0.0');
    const after = await reading(app, coredumpId);
    const answer = await app.graphql(REPARSE, { id: coredumpId });
    await ended(app, coredumpId);

    expect(after).toEqual(before);
    expect(answer).toEqual({
      reparseCoredump: { coredump: { parseStatus: 'PENDING', chosenFirmware: null } },
    });
    expect(await reading(app, coredumpId)).toMatchObject({
      firmware: { version: '1.0.0' },
      chosenFirmware: null,
      report: { elfMatches: true },
    });
  });

  it('is read with it again when all are, and by itself after its deletion', async () => {
    const { app, coredumpId } = await aDumpWithoutBuild();
    const other = await uploaded(app, 'thermostat-1.1.0');
    await app.graphql(CHOOSE, { id: coredumpId, firmwareId: other });
    await ended(app, coredumpId);
    await uploaded(app, 'thermostat-1.0.0');

    await app.graphql('mutation { reparseCoredumps(input: { filter: {} }) { count } }');
    const again = await eventually(async () => {
      const now = await reading(app, coredumpId);
      return now.parseStatus === 'PARSED' ? now : null;
    });
    await app.graphql('mutation ($id: ID!) { deleteFirmware(input: { id: $id }) { deletedFirmwareId } }', {
      id: other,
    });
    const without = await reading(app, coredumpId);

    expect(again).toMatchObject({ firmware: { version: '1.1.0' }, chosenFirmware: { version: '1.1.0' } });
    expect(without).toMatchObject({ parseStatus: 'PARSED', firmware: null, chosenFirmware: null });
  });

  it('is not read with a build of another model', async () => {
    const { app, coredumpId } = await aDumpWithoutBuild();
    await aDevice(app, { key: 'dev2', modelCode: 'gateway' });
    const firmwareId = await uploaded(app, 'gateway-0.3.0');
    const before = await reading(app, coredumpId);

    await expect(app.graphql(CHOOSE, { id: coredumpId, firmwareId })).rejects.toThrow(
      /model \\"gateway\\".*BAD_USER_INPUT/,
    );

    expect(await reading(app, coredumpId)).toEqual(before);
  });
});

describe('a dump that cannot name its build', () => {
  for (const name of ['esp32-bin-idf-v3.3', 'esp32s3-bin-head']) {
    const missing = missingFiles(name, ['dump.bin', 'firmware.elf']);
    it.skipIf(missing !== '')(
      `is read with the one that a person chose, whatever version the device named: ${name}${missing}`,
      async () => {
        const { app, coredumpId } = await aDumpWithoutBuild(await readFile(caseFile(name, 'dump.bin')));
        const elf = await readFile(caseFile(name, 'firmware.elf'));
        const { id: firmwareId } = await uploadFirmware(app, {
          elf,
          version: 'as-labelled',
          allowVersionMismatch: true,
        });
        const before = await reading(app, coredumpId);

        await app.graphql(CHOOSE, { id: coredumpId, firmwareId });
        await ended(app, coredumpId);
        const chosen = await reading(app, coredumpId);
        await app.graphql(REPARSE, { id: coredumpId });
        await ended(app, coredumpId);

        expect(before).toMatchObject({ parseStatus: 'ERROR', firmware: null });
        expect(chosen).toMatchObject({
          parseStatus: 'PARSED',
          firmware: { version: 'as-labelled' },
          chosenFirmware: { version: 'as-labelled' },
        });
        expect(await reading(app, coredumpId)).toMatchObject({
          ...{ parseStatus: 'ERROR', firmware: null, chosenFirmware: null },
          parsedOutput: expect.stringContaining('No firmware for model "thermostat" version "1.0.0"'),
        });
      },
    );
  }
});

describe('a dump that ended because its parse failed', () => {
  it('is read with the build that a person chose', async () => {
    let isBroken = true;
    const sidecar = await aSidecar((_, response) =>
      isBroken
        ? answerJson(response, 422, { error: 'It is broken.' })
        : answerJson(response, 200, { output: 'read' }),
    );
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploaded(app, 'thermostat-1.0.0');
    const { coredumpId } = await stored(app, 'dump', { version: '1.0.0' });
    expect((await ended(app, coredumpId)).parseStatus).toBe('ERROR');
    const firmwareId = await uploaded(app, 'thermostat-1.1.0');
    isBroken = false;

    await app.graphql(CHOOSE, { id: coredumpId, firmwareId });

    expect(await ended(app, coredumpId)).toMatchObject({
      parseStatus: 'PARSED',
      firmware: { version: '1.1.0' },
    });
  });
});

function caseFile(name: string, file: string): string {
  return findCaseFile(name, file) ?? `no ${name}/${file}`;
}

/** A real dump of thermostat 1.0.0, which ended for lack of its build; the reader itself parses. */
async function aDumpWithoutBuild(dump?: Uint8Array) {
  const sidecar = await aSidecar(({ coreBytes, elfBytes, chip }, response) => {
    const { output, report } = readCrashDump({ core: coreBytes, elf: elfBytes, chip });
    answerJson(response, 200, { output, report });
  });
  const app = await aServer(sidecar.environment);
  await aDevice(app);
  const bytes = dump ?? (await readFile(fixture('thermostat-1.0.0').dump('abort')));
  const { coredumpId } = await stored(app, bytes, { version: '1.0.0' });
  expect((await ended(app, coredumpId)).parsedOutput).toContain('No firmware for model "thermostat"');
  return { app, coredumpId };
}

/** @returns the global id of the build */
async function uploaded(app: TestApp, name: FixtureName): Promise<string> {
  const { elfPath, modelCode, version } = fixture(name);
  return (await uploadFirmware(app, { elf: await readFile(elfPath), modelCode, version })).id;
}

interface Reading {
  parseStatus: string;
  parsedOutput: string | null;
}

async function reading(app: TestApp, id: string): Promise<Reading> {
  const { coredump } = await app.graphql<{ coredump: Reading }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parsedAt parsedOutput crashKind crashedTask reason
      firmware { version } chosenFirmware { version } report { elfMatches warnings { message } }
    } }`,
    { id },
  );
  return coredump;
}
