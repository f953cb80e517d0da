import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readCrashDump, UnreadableDump } from '../../src/crashdump/index.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { DAY_MS } from '../../src/platform/durations.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { ended, metric } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const THERMOSTAT = fixture('thermostat-1.0.0');

describe('a dump that waits for its build', () => {
  it('has a report of what the dump alone tells, below the sentence that says what is missing', async () => {
    const app = await aServer((await aReader()).environment);
    const id = await aStoredDump(app);

    const waiting = await reading(app, id);
    const { report, output } = readCrashDump({
      core: await readFile(THERMOSTAT.dump('abort')),
      elf: null,
      chip: 'esp32c3',
    });

    expect(waiting).toMatchObject({
      parseStatus: 'ERROR',
      parseErrorKind: 'MISSING_FIRMWARE',
      reason: report.reason,
      crashedTask: report.crashedTask,
      firmware: null,
      waitingFor: {
        firmwareVersion: '1.0.0',
        chip: 'esp32c3',
        elfSha256Prefix: report.appElfSha256,
      },
      report: {
        reason: report.reason,
        registers: report.registers.map(({ name, value }) => ({ name, value })),
        tasks: report.tasks.map(({ name }) => ({ name })),
        warnings: expect.arrayContaining([expect.objectContaining({ code: 'NO_FIRMWARE' })]),
      },
    });
    expect(waiting.parsedOutput?.startsWith('No firmware for model "thermostat" version "1.0.0"')).toBe(true);
    expect(waiting.parsedOutput?.endsWith(`\n\n${output}`)).toBe(true);
  });

  it('is listed and counted as waiting, and read with its build once that arrives', async () => {
    const app = await aServer((await aReader()).environment);
    const id = await aStoredDump(app);
    const before = await waitingOf(app);
    const wasCounted = await metric(app, 'coredumps_waiting_for_build 1');

    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    await eventually(async () => (await reading(app, id)).parseStatus === 'PARSED', 'it is read');

    expect(wasCounted).toBe(true);
    expect(before).toEqual({
      coredumps: { totalCount: 1, nodes: [{ id }] },
      missingFirmwares: [{ firmwareVersion: '1.0.0', coredumpCount: 1 }],
    });
    expect(await reading(app, id)).toMatchObject({
      parseErrorKind: null,
      waitingFor: null,
      firmware: { version: '1.0.0' },
      report: { elfMatches: true },
    });
    expect((await reading(app, id)).parsedOutput).not.toContain('No firmware');
    expect(await waitingOf(app)).toEqual({
      coredumps: { totalCount: 0, nodes: [] },
      missingFirmwares: [],
    });
    expect(await metric(app, 'coredump_parse_errors_total{kind="missing_firmware"} 1')).toBe(true);
  });

  it('is in a group of its build’s addresses, and moves to that of its place once the build arrives', async () => {
    const app = await aServer((await aReader()).environment);
    const id = await aStoredDump(app);
    const before = await groupsOf(app);

    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    await eventually(async () => (await reading(app, id)).parseStatus === 'PARSED', 'it is read');

    expect(before).toMatchObject([
      { title: expect.stringMatching(/^abort in task \w+ \(no ELF of build \w{9}\)$/), count: 1 },
    ]);
    expect(await groupsOf(app)).toEqual([{ title: 'abort in network_handle_reply (network.c)', count: 1 }]);
  });

  it('still waits for it after it was read with another build of the version', async () => {
    const app = await aServer((await aReader()).environment);
    await aDevice(app);
    await uploadFirmware(app, {
      elf: await readFile(fixture('thermostat-1.1.0').elfPath),
      version: '1.0.0',
      allowVersionMismatch: true,
    });
    const id = await aStoredDump(app, { isRegistered: true });
    const other = await reading(app, id);

    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    const own = await eventually(async () => {
      const now = await reading(app, id);
      return now.parseStatus === 'PARSED' && now.waitingFor === null ? now : null;
    }, 'it is read with its own build');

    expect(other).toMatchObject({
      parseStatus: 'PARSED',
      waitingFor: { firmwareVersion: '1.0.0', elfSha256Prefix: expect.any(String) },
      firmware: { elfVersion: '1.1.0' },
      report: { elfMatches: false },
    });
    expect(own).toMatchObject({ firmware: { elfVersion: '1.0.0' }, report: { elfMatches: true } });
  });

  it('asks for no build once its raw bytes were removed: nothing would read it again', async () => {
    let aheadMs = 0;
    const clock = { ...createSystemClock(), now: () => new Date(Date.now() + aheadMs) };
    const app = await aServer((await aReader()).environment, { clock });
    await aStoredDump(app);

    aheadMs = 8 * DAY_MS;
    await app.graphql(`mutation {
      setModelPrivacy(input: { modelCode: "thermostat", keepRawDays: 7 }) { clientMutationId }
    }`);

    await eventually(async () => {
      const { missingFirmwares } = await app.graphql<{ missingFirmwares: object[] }>(
        '{ missingFirmwares { coredumpCount } }',
      );
      return missingFirmwares.length === 0;
    }, 'no build is asked for');
    expect(await metric(app, 'coredumps_waiting_for_build 0')).toBe(true);
    expect(await groupsOf(app)).toMatchObject([{ count: 1 }]);
  });

  it('has no report from a sidecar that knows no dump without a build, and is read later all the same', async () => {
    for (const status of [400, 404, 422, 500]) {
      const sidecar = await aSidecar(
        ({ elf }, response) =>
          elf === ''
            ? answerJson(response, status, { error: 'no' })
            : answerJson(response, 200, { output: 'read' }),
        { readsWithoutBuild: true },
      );
      const app = await aServer(sidecar.environment);
      const id = await aStoredDump(app);
      const before = await reading(app, id);

      await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
      await eventually(async () => (await reading(app, id)).parseStatus === 'PARSED', 'it is read');

      expect(before, String(status)).toMatchObject({ parseErrorKind: 'MISSING_FIRMWARE', report: null });
      expect(
        sidecar.requests.map(({ elf }) => elf === ''),
        String(status),
      ).toEqual([true, false]);
    }
  });

  it('is asked for again when the sidecar is busy, and waits for its build when it stays so', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 503, { error: 'busy' }), {
      readsWithoutBuild: true,
    });
    const app = await aServer(sidecar.environment);
    const id = await aStoredDump(app);

    expect(await reading(app, id)).toMatchObject({ parseErrorKind: 'MISSING_FIRMWARE', report: null });
    expect(sidecar.requests).toHaveLength(3);
  });
});

describe('what is no dump', () => {
  it('is named as that at once, and waits for no build', async () => {
    const app = await aServer((await aReader()).environment);
    await aDevice(app);
    for (const body of ['dump', 'I (312) main: started\n'.repeat(20), '\xff'.repeat(4096), '{"a": 1}']) {
      const { coredumpId } = await stored(app, body);
      await ended(app, coredumpId);

      expect(await reading(app, coredumpId), body.slice(0, 20)).toMatchObject({
        parseStatus: 'ERROR',
        parseErrorKind: 'UNREADABLE',
        waitingFor: null,
        report: null,
        parsedOutput: expect.stringMatching(/^Unable to parse coredump: /),
      });
    }
    expect(await waitingOf(app)).toMatchObject({ missingFirmwares: [], coredumps: { totalCount: 0 } });
  });

  it('is so too when the sidecar cannot be asked', async () => {
    const app = await aServer({
      ...(await aReader()).environment,
      PARSE_SIDECAR_URL: 'http://127.0.0.1:9',
    });
    await aDevice(app);
    const { coredumpId } = await stored(app, 'dump');
    await ended(app, coredumpId);

    expect(await reading(app, coredumpId)).toMatchObject({ parseErrorKind: 'UNREADABLE' });
  });
});

/** A sidecar that reads by the reader itself, as the bundled one does. */
function aReader() {
  return aSidecar(
    ({ coreBytes, elf, elfBytes, chip }, response) => {
      try {
        const { output, report } = readCrashDump({
          core: coreBytes,
          elf: elf === '' ? null : elfBytes,
          chip,
        });
        answerJson(response, 200, { output, report });
      } catch (error) {
        if (!(error instanceof UnreadableDump)) throw error;
        answerJson(response, 422, { error: error.message });
      }
    },
    { readsWithoutBuild: true },
  );
}

async function aStoredDump(app: TestApp, { isRegistered = false } = {}): Promise<string> {
  if (!isRegistered) await aDevice(app);
  const { coredumpId } = await stored(app, await readFile(THERMOSTAT.dump('abort')), { version: '1.0.0' });
  await ended(app, coredumpId);
  return coredumpId;
}

function waitingOf(app: TestApp): Promise<object> {
  return app.graphql(`{
    coredumps(filter: { parseErrorKind: [MISSING_FIRMWARE, LOST_FIRMWARE] }) { totalCount nodes { id } }
    missingFirmwares { firmwareVersion coredumpCount }
  }`);
}

async function groupsOf(app: TestApp): Promise<object[]> {
  const { crashGroups } = await app.graphql<{ crashGroups: { nodes: object[] } }>(
    '{ crashGroups { nodes { title count } } }',
  );
  return crashGroups.nodes;
}

interface Reading {
  parseStatus: string;
  parsedOutput: string | null;
  waitingFor: object | null;
}

async function reading(app: TestApp, id: string): Promise<Reading> {
  const { coredump } = await app.graphql<{ coredump: Reading }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parseErrorKind parsedOutput reason crashedTask
      firmware { version elfVersion } waitingFor { firmwareVersion chip elfSha256Prefix }
      report { reason elfMatches registers { name value } tasks { name } warnings { code message } }
    } }`,
    { id },
  );
  return coredump;
}
