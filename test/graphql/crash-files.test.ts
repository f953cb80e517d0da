import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { aDevice, aServer, bearer, type TestApp } from '../support/app.js';
import { aModel } from '../support/enrolment.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { ended } from '../support/parsed-dump.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aReadingSidecar } from '../support/reading-sidecar.js';

const THERMOSTAT = fixture('thermostat-1.0.0');
const abort = () => readFile(THERMOSTAT.dump('abort'));

interface Answer<Data> {
  data: Data | null;
  errors?: Array<{ message: string; extensions: { code: string; field?: string } }>;
}

/** Sends a mutation with its file as a form, as the page and the command line do. */
async function withFile<Data>(
  app: TestApp,
  query: string,
  input: object,
  file: Uint8Array | string,
  token?: string,
): Promise<Answer<Data>> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { input: { ...input, file: null } } }));
  form.set('map', '{"0":["variables.input.file"]}');
  form.set('0', new Blob([new Uint8Array(Buffer.from(file))]), 'crash.txt');
  const headers = { 'GraphQL-Require-Preflight': '1', ...bearer(token) };
  const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body: form });
  return (await response.json()) as Answer<Data>;
}

async function withText<Data>(
  app: TestApp,
  query: string,
  input: object,
  token?: string,
): Promise<Answer<Data>> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query, variables: { input } }),
  });
  return (await response.json()) as Answer<Data>;
}

function refusalOf({ data, errors = [] }: Answer<object>) {
  expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
  const [error] = errors;
  return { message: error?.message, ...error?.extensions };
}

const DECODE = `mutation ($input: DecodeCrashInput!) { decodeCrash(input: $input) {
  kind output firmware { version model { code } }
  report { reason crashedTask elfMatch logLines warnings { code message } tasks { crashed frames { function arguments { value } } } }
} }`;

interface Decoded {
  decodeCrash: {
    kind: string;
    output: string;
    firmware: { version: string; model: { code: string } } | null;
    report: {
      reason: string;
      elfMatch: string;
      logLines: string[];
      warnings: Array<{ code: string; message: string }>;
      tasks: Array<{
        crashed: boolean;
        frames: Array<{ function: string | null; arguments: Array<{ value: string }> }>;
      }>;
    };
  };
}

async function aReadingServer(environment: Record<string, string> = {}, options = {}) {
  const sidecar = await aReadingSidecar();
  const app = await aServer({ ...sidecar.environment, ...environment }, options);
  await aModel(app);
  return app;
}

async function storedThings(app: TestApp) {
  return app.graphql('{ coredumps { totalCount } crashGroups { totalCount } devices { totalCount } }');
}

describe('decodeCrash', () => {
  it('reads a dump with the build that it names, of any model, and stores nothing', async () => {
    const app = await aReadingServer();
    const without = await withFile<Decoded>(app, DECODE, {}, await abort());
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    const before = await storedThings(app);

    const { data } = await withFile<Decoded>(app, DECODE, {}, await abort());
    const ofModel = await withFile<Decoded>(app, DECODE, { modelCode: 'thermostat' }, await abort());

    expect(data?.decodeCrash).toMatchObject({
      kind: 'CORE_DUMP',
      firmware: { version: '1.0.0', model: { code: 'thermostat' } },
      report: { elfMatch: 'MATCHES', reason: expect.stringMatching(/^abort\(\) was called at PC 0x/) },
    });
    const frames = data?.decodeCrash.report.tasks.find(({ crashed }) => crashed)?.frames ?? [];
    const [crashed] = (await THERMOSTAT.oracle('abort')).tasks;
    expect(frames.map((frame) => frame.function)).toEqual(crashed?.frames.map((frame) => frame.function));
    expect(ofModel.data).toEqual(data);
    expect(without.data?.decodeCrash).toMatchObject({
      firmware: null,
      report: { warnings: expect.arrayContaining([expect.objectContaining({ code: 'NO_FIRMWARE' })]) },
    });
    expect(await storedThings(app)).toEqual(before);
  });

  it('takes a text as well, and what a log has around its dump', async () => {
    const app = await aReadingServer();
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    const base64 = (await abort()).toString('base64').replace(/(.{64})/g, '$1\n');
    const log = `I (1) boot: up\n================= CORE DUMP START =================\n${base64}\n================= CORE DUMP END =================\n`;

    const { data } = await withText<Decoded>(app, DECODE, { text: log });

    expect(data?.decodeCrash).toMatchObject({ kind: 'CORE_DUMP', firmware: { version: '1.0.0' } });
  });

  it('reads a panic text, and shows what only looks like one', async () => {
    const app = await aReadingServer();
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    const watchdog =
      'E (15353) task_wdt: Task watchdog got triggered. The following tasks did not reset the watchdog in time:\n' +
      'E (15353) task_wdt:  - IDLE (CPU 0)\nE (15353) task_wdt: Tasks currently running:\n' +
      'E (15353) task_wdt: CPU 0: main\nI (15400) app: still here\n';

    const text = await withFile<Decoded>(app, DECODE, {}, printPanic(openDump(await abort()), null));
    const dump = await withFile<Decoded>(app, DECODE, {}, await abort());
    const noCrash = await withText<Decoded>(app, DECODE, { text: watchdog });

    const functionsOf = ({ data }: Answer<Decoded>) =>
      data?.decodeCrash.report.tasks.find(({ crashed }) => crashed)?.frames.map((frame) => frame.function);
    expect(text.data?.decodeCrash).toMatchObject({
      kind: 'PANIC_TEXT',
      firmware: { version: '1.0.0' },
      report: { elfMatch: 'MATCHES' },
    });
    expect(functionsOf(text)).toEqual(functionsOf(dump));
    expect(noCrash.data?.decodeCrash).toMatchObject({
      kind: 'PANIC_TEXT',
      report: { warnings: expect.arrayContaining([expect.objectContaining({ code: 'NO_CRASH' })]) },
    });
  });

  it('uses the build that a person names, and says that it is not the crash’s own', async () => {
    const app = await aReadingServer();
    const other = await uploadFirmware(app, { elf: await readFile(fixture('thermostat-1.1.0').elfPath) });

    const chosen = await withFile<Decoded>(app, DECODE, { firmwareId: other.id }, await abort());
    const byVersion = await withFile<Decoded>(
      app,
      DECODE,
      { modelCode: 'thermostat', firmwareVersion: '1.1.0' },
      await abort(),
    );

    for (const [answer, code] of [
      [chosen, 'BUILD_CHOSEN'],
      [byVersion, 'FIRMWARE_DIFFERS'],
    ] as const) {
      expect(answer.data?.decodeCrash).toMatchObject({
        firmware: { version: '1.1.0' },
        report: {
          elfMatch: 'DIFFERS',
          warnings: expect.arrayContaining([expect.objectContaining({ code })]),
        },
      });
    }
  });

  it('asks for the model where several have the version', async () => {
    const app = await aReadingServer();
    await aModel(app, 'pump');
    const elf = await readFile(fixture('thermostat-1.1.0').elfPath);
    await uploadFirmware(app, { elf });
    await uploadFirmware(app, { elf, modelCode: 'pump' });

    const input = { firmwareVersion: '1.1.0' };
    const { data } = await withFile<Decoded>(app, DECODE, input, await abort());
    const named = await withFile<Decoded>(app, DECODE, { ...input, modelCode: 'pump' }, await abort());

    expect(data?.decodeCrash.firmware).toBeNull();
    expect(data?.decodeCrash.report.warnings[0]).toEqual({
      code: 'SEVERAL_BUILDS',
      message: 'several models have a build of this version: name the model (modelCode).',
    });
    expect(named.data?.decodeCrash.firmware?.model).toEqual({ code: 'pump' });
  });

  it('is for viewers too, who see what they see of stored ones, and is noted', async () => {
    const app = await aReadingServer(STATIC_TOKENS, { token: ADMIN });
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath), headers: bearer(ADMIN) });
    const dump = await readFile(THERMOSTAT.dump('null-pointer'));

    const viewer = await withFile<Decoded>(app, DECODE, {}, dump, VIEWER);
    const admin = await withFile<Decoded>(app, DECODE, {}, dump, ADMIN);
    const nobody = await withFile<Decoded>(app, DECODE, {}, dump);

    const valuesOf = ({ data }: Answer<Decoded>) =>
      (data?.decodeCrash.report.tasks ?? []).flatMap(({ frames }) =>
        frames.flatMap((frame) => frame.arguments.map(({ value }) => value)),
      );
    expect(valuesOf(admin).join()).toMatch(/["{]/);
    expect(valuesOf(viewer).join()).not.toMatch(/["{]/);
    expect(viewer.data?.decodeCrash.output).not.toBe(admin.data?.decodeCrash.output);
    expect(nobody.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      '{ auditEvents(filter: { action: ["decodeCrash"] }) { nodes { action role target detail } } }',
    );
    expect(auditEvents.nodes).toEqual([
      { action: 'decodeCrash', role: 'ADMIN', target: '1.0.0', detail: `core dump, ${dump.length} bytes` },
      { action: 'decodeCrash', role: 'VIEWER', target: '1.0.0', detail: `core dump, ${dump.length} bytes` },
    ]);
  });

  it('says what is wrong with what it cannot read', async () => {
    const app = await aReadingServer({ MAX_COREDUMP_BYTES: '100000' });
    const refused = async (input: object, file: Uint8Array | string | null = null) =>
      refusalOf(
        file === null ? await withText(app, DECODE, input) : await withFile(app, DECODE, input, file),
      );

    expect(await refused({}, '<html>502 Bad Gateway</html>')).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.file',
      message: expect.stringMatching(/^This is a web page/),
    });
    expect(await refused({}, Buffer.alloc(100_001))).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.file',
      message: 'The crash is larger than 100000 bytes (MAX_COREDUMP_BYTES).',
    });
    expect(await refused({ text: '' })).toMatchObject({ field: 'input.text', message: 'The text is empty.' });
    expect(await refused({})).toMatchObject({ message: 'Give exactly one of "file" and "text".' });
    expect(await refused({ text: 'x' }, 'x')).toMatchObject({
      message: 'Give exactly one of "file" and "text".',
    });
    expect(await refused({ text: 'x', modelCode: 'nothing' })).toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.modelCode',
    });
    expect(await refused({ text: 'x', chip: 'esp 32' })).toMatchObject({ field: 'input.chip' });
    expect(await refused({ firmwareId: 'RmlybXdhcmU6OTk=' }, await abort())).toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.firmwareId',
    });
  });

  it('has a rate, and needs a parser', async () => {
    const app = await aReadingServer();
    for (let turn = 0; turn < 30; turn += 1) await withText(app, DECODE, { text: 'nothing' });
    const without = await aServer();

    expect(refusalOf(await withText(app, DECODE, { text: 'nothing' }))).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'At most 30 crashes a minute are decoded.',
    });
    expect(refusalOf(await withText(without, DECODE, { text: 'nothing' }))).toMatchObject({
      code: 'PARSER_NOT_CONFIGURED',
    });
  });
});

const UPLOAD = `mutation ($input: UploadCrashInput!) { uploadCrash(input: $input) {
  coredump { id kind chip firmwareVersion parseStatus chosenFirmware { version } }
  device { key serial model { code } crashCount }
} }`;

interface Uploaded {
  uploadCrash: {
    coredump: { id: string; kind: string; chip: string; firmwareVersion: string };
    device: { key: string; serial: string | null; crashCount: number };
  };
}

describe('uploadCrash', () => {
  it('files a dump under a device, where it is read and counted like one that arrived', async () => {
    const app = await aReadingServer();
    const device = await aDevice(app);
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });

    const { data } = await withFile<Uploaded>(app, UPLOAD, { deviceId: device.id }, await abort());
    const again = await withFile<Uploaded>(app, UPLOAD, { deviceId: device.id }, await abort());

    expect(data?.uploadCrash).toMatchObject({
      coredump: { kind: 'CORE_DUMP', chip: 'esp32c3', firmwareVersion: 'unknown' },
      device: { key: 'dev1', crashCount: 1 },
    });
    const id = data?.uploadCrash.coredump.id ?? '';
    expect(again.data?.uploadCrash.coredump.id).toBe(id);
    expect(await ended(app, id)).toMatchObject({ parseStatus: 'PARSED', firmware: { version: '1.0.0' } });
    const { coredump, auditEvents } = await app.graphql<{
      coredump: object;
      auditEvents: { nodes: object[] };
    }>(
      `query ($id: ID!) {
        coredump(id: $id) { crashVersion filename crashGroup { count } }
        auditEvents(filter: { action: ["uploadCrash"] }) { nodes { target detail } }
      }`,
      { id },
    );
    // Nobody told the version: the build does.
    expect(coredump).toMatchObject({ crashVersion: '1.0.0', crashGroup: { count: 1 } });
    const { filename } = coredump as { filename: string };
    expect(auditEvents.nodes).toEqual([
      { target: `dev1/${filename}`, detail: 'core dump, which was there already' },
      { target: `dev1/${filename}`, detail: 'core dump' },
    ]);
  });

  it('registers a serial that is not known, once, and only for a crash', async () => {
    const app = await aReadingServer();
    const device = { modelCode: 'thermostat', serial: 'SN-9' };
    const refused = refusalOf(await withText(app, UPLOAD, { ...device, text: 'no crash at all' }));
    const { devices: before } = await app.graphql<{ devices: { totalCount: number } }>(
      '{ devices { totalCount } }',
    );

    const first = await withFile<Uploaded>(app, UPLOAD, device, await abort());
    const second = await withFile<Uploaded>(
      app,
      UPLOAD,
      { ...device, firmwareVersion: '1.0.0' },
      await readFile(THERMOSTAT.dump('null-pointer')),
    );

    expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.text' });
    expect(before.totalCount).toBe(0);
    expect(first.data?.uploadCrash.device).toMatchObject({ serial: 'SN-9', crashCount: 1 });
    expect(second.data?.uploadCrash).toMatchObject({
      coredump: { firmwareVersion: '1.0.0' },
      device: { key: first.data?.uploadCrash.device.key, crashCount: 2 },
    });
  });

  it('is read with the build that is chosen, whose version it has', async () => {
    const app = await aReadingServer();
    const device = await aDevice(app);
    const build = await uploadFirmware(app, { elf: await readFile(fixture('thermostat-1.1.0').elfPath) });

    const { data } = await withFile<Uploaded>(
      app,
      UPLOAD,
      { deviceId: device.id, firmwareId: build.id },
      await abort(),
    );

    expect(data?.uploadCrash.coredump).toMatchObject({
      firmwareVersion: '1.1.0',
      chosenFirmware: { version: '1.1.0' },
    });
    expect(await ended(app, data?.uploadCrash.coredump.id ?? '')).toMatchObject({
      parseStatus: 'PARSED',
      firmware: { version: '1.1.0' },
    });
  });

  it('refuses what does not go together, and names the input', async () => {
    const app = await aReadingServer();
    const device = await aDevice(app);
    await aModel(app, 'pump');
    const foreign = await uploadFirmware(app, { modelCode: 'pump' });
    const refused = async (input: object) => refusalOf(await withFile(app, UPLOAD, input, await abort()));

    expect(await refused({})).toMatchObject({
      message: 'Name the device either by "deviceId", or by "modelCode" and "serial".',
    });
    expect(await refused({ deviceId: device.id, serial: 'SN-1' })).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await refused({ modelCode: 'nothing', serial: 'SN-1' })).toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.modelCode',
    });
    expect(await refused({ modelCode: 'thermostat', serial: 'S N' })).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.serial',
    });
    expect(await refused({ deviceId: 'RGV2aWNlOjk5' })).toMatchObject({ field: 'input.deviceId' });
    expect(await refused({ deviceId: device.id, firmwareId: foreign.id })).toMatchObject({
      field: 'input.firmwareId',
      message: 'The build is not of model "thermostat", the device’s: choose a build of that model.',
    });
    const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
      '{ coredumps { totalCount } }',
    );
    expect(coredumps.totalCount).toBe(0);
  });
});
