import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { summaryOf } from '../crashdump/summaries.js';
import { aDevice, aServer, bearer, errorOf, eventually, stored, type TestApp } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { metric } from '../support/parsed-dump.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aReadingSidecar } from '../support/reading-sidecar.js';

const THERMOSTAT = fixture('thermostat-1.0.0');
const DUMP = readFileSync(THERMOSTAT.dump('abort'));
const ELF = readFileSync(THERMOSTAT.elfPath);
/** With lines of a log before it, one of which holds what viewers may not see. */
const LOG = 'I (812) wifi: connected\r\nE (901) http: token=hunter2 was refused\r\n';
const TEXT = `${LOG}${printPanic(openDump(DUMP), null)}`;
const SUMMARY = summaryOf(openDump(DUMP), {
  reason: 'abort()',
  log: 'E (901) http: token=hunter2 was refused',
});
/** It says of itself that it goes on. */
const WATCHDOG = [
  'E (15353) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:\n',
  'E (15353) task_wdt:  - IDLE0 (CPU 0)\n',
  'E (15353) task_wdt: Tasks currently running:\n',
  'E (15353) task_wdt: CPU 0: main\n',
  'E (15353) task_wdt: Print CPU 0 (current core) backtrace\n',
  'Backtrace: 0x400D2B6C:0x3FFB1B40 0x40082A1D:0x3FFB1B60\n',
  'I (15400) app: still here\n',
].join('');

interface Crash {
  id: string;
  kind: string;
  parseStatus: string;
  parseErrorKind: string | null;
  parsedOutput: string | null;
  crashVersion: string;
  crashGroup: { id: string; count: number } | null;
  firmware: { version: string } | null;
  report: {
    source: string;
    elfMatch: string;
    logLines: string[];
    tasks: Array<{ crashed: boolean; frames: Array<{ function: string | null }> }>;
  } | null;
  markdown: string;
  downloadUrl: string;
  filename: string;
}

const CRASH = `query ($id: ID!) { coredump(id: $id) {
  id kind parseStatus parseErrorKind parsedOutput crashVersion crashGroup { id count } firmware { version } filename
  report { source elfMatch logLines tasks { crashed frames { function } } } markdown downloadUrl
} }`;

async function crashOf(app: TestApp, id: string, token?: string): Promise<Crash> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query: CRASH, variables: { id } }),
  });
  const { data } = (await response.json()) as { data: { coredump: Crash } };
  return data.coredump;
}

function endOf(app: TestApp, id: string, token?: string): Promise<Crash> {
  return eventually(async () => {
    const crash = await crashOf(app, id, token);
    return crash.parseStatus === 'PENDING' ? null : crash;
  }, 'it is read');
}

async function sendSummary(
  app: TestApp,
  json: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(
    `${app.url}/api/iot/crash?device_key=dev1&chip=esp32c3&firmware_version=1.0.0`,
    {
      method: 'POST',
      headers,
      body: json,
    },
  );
  if (response.status !== 201) throw new Error(await response.text());
  return ((await response.json()) as { coredumpId: string }).coredumpId;
}

async function aReadingServer(environment: Record<string, string> = {}, options = {}) {
  const sidecar = await aReadingSidecar();
  return aServer({ ...sidecar.environment, ...environment }, options);
}

function functionsOf({ report }: Crash) {
  return report?.tasks.find(({ crashed }) => crashed)?.frames.map((frame) => frame.function);
}

describe('a crash without a dump', () => {
  it('has the report and the group of its dump, whether it is a text or a summary', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    await uploadFirmware(app, { elf: ELF });

    const dump = await endOf(app, (await stored(app, DUMP)).coredumpId);
    const text = await endOf(app, (await stored(app, TEXT)).coredumpId);
    const summary = await endOf(app, await sendSummary(app, SUMMARY));

    const [crashed] = (await THERMOSTAT.oracle('abort')).tasks;
    const functions = crashed?.frames.map((frame) => frame.function);
    for (const [crash, kind] of [
      [dump, 'CORE_DUMP'],
      [text, 'PANIC_TEXT'],
      [summary, 'SUMMARY'],
    ] as const) {
      expect(crash).toMatchObject({
        kind,
        parseStatus: 'PARSED',
        firmware: { version: '1.0.0' },
        crashVersion: '1.0.0',
        report: { source: kind, elfMatch: 'MATCHES' },
      });
      expect(functionsOf(crash), kind).toEqual(functions);
      expect(crash.crashGroup?.id, kind).toBe(dump.crashGroup?.id);
    }
    expect(summary.crashGroup?.count).toBe(3);
    const { coredumps, crashGroups } = await app.graphql<{
      coredumps: { totalCount: number; nodes: Array<{ id: string }> };
      crashGroups: { totalCount: number };
    }>(
      '{ coredumps(filter: { kind: [PANIC_TEXT] }) { totalCount nodes { id } } crashGroups { totalCount } }',
    );
    expect(coredumps).toEqual({ totalCount: 1, nodes: [{ id: text.id }] });
    expect(crashGroups.totalCount).toBe(1);
  });

  it('is downloaded as what it is, named in exports, and no core for GDB', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    const text = await endOf(app, (await stored(app, TEXT)).coredumpId);

    const download = await fetch(app.url + text.downloadUrl);
    const elf = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(text.id)}/core.elf`);
    const csv = await (await fetch(`${app.url}/api/coredumps.csv?source=PANIC_TEXT`)).text();
    const others = await (await fetch(`${app.url}/api/coredumps.json?source=CORE_DUMP`)).json();

    expect(Buffer.from(await download.arrayBuffer()).equals(Buffer.from(TEXT))).toBe(true);
    expect(download.headers.get('content-type')).toBe('text/plain');
    expect(download.headers.get('content-disposition')).toBe(
      `attachment; filename="${text.filename.replace('.dmp', '.txt')}"`,
    );
    expect(await errorOf(elf)).toMatchObject({
      status: 409,
      message: 'There is no core ELF: this is a panic text, which has no memory that GDB could open.',
    });
    expect(csv).toContain(',PANIC_TEXT,');
    expect(others).toEqual([]);
    expect(text.markdown).toContain('- **Source**: panic text');
    expect(text.markdown).not.toContain('GDB');
  });

  it('waits for its build in words of its own, and is read when that arrives', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    const { coredumpId: id } = await stored(app, TEXT);
    const waiting = await endOf(app, id);

    await uploadFirmware(app, { elf: ELF });
    const read = await eventually(async () => {
      const crash = await crashOf(app, id);
      return crash.parseStatus === 'PARSED' ? crash : null;
    }, 'it is read with its build');

    expect(waiting).toMatchObject({ kind: 'PANIC_TEXT', parseErrorKind: 'MISSING_FIRMWARE' });
    expect(waiting.parsedOutput).toContain('(the text names the ELF with SHA-256 ');
    expect(waiting.parsedOutput).toContain('; the text is then parsed automatically.');
    expect(read.report?.elfMatch).toBe('MATCHES');
    expect(read.crashGroup?.count).toBe(1);
  });

  it('waits for the version that its log alone names, where the device knew none', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    const text = `I (31) cpu_start: App version:      1.0.0\r\n${printPanic(openDump(DUMP), null, { sha: 0 })}`;
    const { coredumpId: id } = await stored(app, text, { version: 'unknown' });
    const waiting = await endOf(app, id);

    await uploadFirmware(app, { elf: ELF });
    const read = await eventually(async () => {
      const crash = await crashOf(app, id);
      return crash.parseStatus === 'PARSED' ? crash : null;
    }, 'it is read with its build');

    expect(waiting).toMatchObject({ parseErrorKind: 'MISSING_FIRMWARE', crashVersion: '1.0.0' });
    expect(waiting.parsedOutput).toContain('version "1.0.0"');
    expect(read).toMatchObject({ crashVersion: '1.0.0', firmware: { version: '1.0.0' } });
  });

  it('has no version that no device could report, whatever its text says', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    const text = `I (31) cpu_start: App version:      ../<b>\r\n${printPanic(openDump(DUMP), null, { sha: 0 })}`;

    const crash = await endOf(app, (await stored(app, text, { version: 'unknown' })).coredumpId);

    expect(crash).toMatchObject({ kind: 'PANIC_TEXT', crashVersion: 'unknown' });
  });

  it('shows no log lines to viewers, neither in the report nor in its text', async () => {
    const app = await aReadingServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);
    await uploadFirmware(app, { elf: ELF, headers: bearer(ADMIN) });
    const headers = bearer(device.token);
    const ids = [(await stored(app, TEXT, { headers })).coredumpId, await sendSummary(app, SUMMARY, headers)];

    for (const id of ids) {
      const admin = await endOf(app, id, ADMIN);
      const viewer = await endOf(app, id, VIEWER);
      expect(admin.report?.logLines.join('\n')).toContain('token=hunter2');
      expect(admin.parsedOutput).toContain('token=hunter2');
      expect(JSON.stringify(viewer)).not.toContain('hunter2');
      expect(viewer.report?.logLines).toEqual(['<redacted>: the log is for admins']);
      expect(functionsOf(viewer)).toEqual(functionsOf(admin));
    }
  });

  it('loses its raw bytes once it was read, where its model wants that, and its report stays', async () => {
    const app = await aReadingServer();
    await aDevice(app);
    await uploadFirmware(app, { elf: ELF });
    await app.graphql(
      'mutation { setModelPrivacy(input: { modelCode: "thermostat", removeRawOnceRead: true }) { clientMutationId } }',
    );
    const { coredumpId: id } = await stored(app, TEXT);
    const { downloadUrl } = await endOf(app, id);

    const gone = await eventually(async () => {
      const response = await fetch(app.url + downloadUrl);
      return response.status === 410 ? errorOf(response) : null;
    }, 'its bytes are removed');

    expect(gone.message).toMatch(/^The raw bytes of crash /);
    expect((await crashOf(app, id)).report?.elfMatch).toBe('MATCHES');
  });

  it('is refused as a form that has lost its line breaks', async () => {
    const app = await aReadingServer();
    await aDevice(app);

    const response = await fetch(
      `${app.url}/api/iot/coredump?device_key=dev1&chip=esp32c3&firmware_version=1.0.0`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: TEXT.replaceAll('\r\n', ''),
      },
    );

    expect(await errorOf(response)).toMatchObject({
      status: 415,
      message: expect.stringMatching(/^The line breaks of this text are missing, as curl -d drops them: /),
    });
  });

  it('that is none ends with why, and no sidecar is asked', async () => {
    const app = await aReadingServer();
    await aDevice(app);

    const crash = await endOf(app, (await stored(app, WATCHDOG)).coredumpId);

    expect(crash).toMatchObject({
      kind: 'PANIC_TEXT',
      parseStatus: 'ERROR',
      parseErrorKind: 'NO_CRASH',
      report: null,
      crashGroup: null,
    });
    expect(crash.parsedOutput).toBe('This is no crash: the device printed it and ran on.');
    const { device } = await app.graphql<{ device: { crashCount: number } }>(
      '{ device(key: "dev1") { crashCount } }',
    );
    expect(device.crashCount).toBe(0);
    expect(await metric(app, 'coredump_parse_errors_total{kind="no_crash"} 1')).toBe(true);
  });
});
