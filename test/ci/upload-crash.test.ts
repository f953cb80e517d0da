import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { uploadCrashCommand } from '../../src/ci/upload-crash.js';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { aDevice, aServer, type TestApp } from '../support/app.js';
import { aModel, anIngestKey } from '../support/enrolment.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aReadingSidecar } from '../support/reading-sidecar.js';

const THERMOSTAT = fixture('thermostat-1.0.0');
const DUMP = THERMOSTAT.dump('abort');

async function aText(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-upload-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'monitor.log');
  await writeFile(file, printPanic(openDump(await readFile(DUMP)), null));
  return file;
}

/** What the command answers, and what it writes. */
async function run(file: string, more = {}, environment = {}, input = '') {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Readable.from([Buffer.from(input)]);
  const options = { wait: true, retries: 3, ...more };
  const terminal = { stdin, stdout, stderr };
  const code = await uploadCrashCommand(file, options, terminal, environment, {
    retryDelayMs: 1,
    pollMs: 20,
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

async function aReadingServer(environment = {}, options = {}): Promise<TestApp> {
  const sidecar = await aReadingSidecar();
  const app = await aServer({ ...sidecar.environment, ...environment }, options);
  await aModel(app);
  return app;
}

interface Stored {
  id: string;
  kind: string;
  chip: string;
  firmwareVersion: string;
  device: { key: string; serial: string | null };
}

async function storedIn(app: TestApp): Promise<Stored[]> {
  const { coredumps } = await app.graphql<{ coredumps: { nodes: Stored[] } }>(
    '{ coredumps { nodes { id kind chip firmwareVersion device { key serial } } } }',
  );
  return coredumps.nodes;
}

describe('coredock upload', () => {
  it('files a text under a serial, and prints its link, reason and group', async () => {
    const app = await aReadingServer();
    await uploadFirmware(app, { elf: await readFile(THERMOSTAT.elfPath) });
    const file = await aText();
    const device = { model: 'thermostat', serial: 'SN-1', url: app.url };

    const first = await run(file, device);
    const again = await run(file, device);

    const [crash, ...more] = await storedIn(app);
    expect(more).toEqual([]);
    expect(crash).toMatchObject({ kind: 'PANIC_TEXT', device: { serial: 'SN-1' } });
    const link = `${app.url}/dumps/${encodeURIComponent(crash?.id ?? '')}`;
    expect(first).toEqual({
      code: 0,
      out: expect.stringMatching(
        new RegExp(
          `^${link.replace(/[.?]/g, '\\$&')}\nabort\\(\\) was called at PC 0x[^\n]+\nGroup: abort in network_handle_reply [^\n]+, 1 crash on 1 device\n$`,
        ),
      ),
      err: '',
    });
    expect(again).toEqual(first);
  });

  it('takes standard input, the device by its key, and address and token of the environment', async () => {
    const app = await aReadingServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);
    const text = await readFile(await aText(), 'utf8');
    const environment = { COREDOCK_URL: app.url, COREDOCK_TOKEN: ADMIN };

    const waiting = await run('-', { device: 'dev1', firmwareVersion: '1.0.0' }, environment, text);
    const unread = await run('-', { device: 'dev1', wait: false }, environment, `${text}\n`);

    expect(waiting).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^coredock: No firmware for model "thermostat" version "1\.0\.0"/),
    });
    expect(unread.out).toMatch(/^http[^\n]+\n$/);
    expect(await storedIn(app)).toMatchObject([
      { firmwareVersion: 'unknown', device: { key: 'dev1' } },
      { firmwareVersion: '1.0.0', device: { key: 'dev1' } },
    ]);
  });

  it('sends as the device does with its token, or with an ingest key', async () => {
    const app = await aReadingServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);
    const { key } = await anIngestKey(app);

    const own = await run(DUMP, { url: app.url, token: device.token });
    const keyed = await run(DUMP, { url: app.url, token: key, serial: 'SN-2', chip: 'esp32c3' });
    const nameless = await run(DUMP, { url: app.url, token: key });

    expect([own, keyed]).toMatchObject([
      { code: 0, out: expect.stringMatching(/^http[^\n]+\n$/), err: '' },
      { code: 0, out: expect.stringMatching(/^http[^\n]+\n$/), err: '' },
    ]);
    expect(nameless).toMatchObject({ code: 1, err: expect.stringContaining('device_serial is missing') });
    expect(await storedIn(app)).toMatchObject([
      { chip: 'esp32c3', device: { serial: 'SN-2' } },
      { chip: 'esp32c3', firmwareVersion: 'unknown', device: { key: 'dev1' } },
    ]);
  });

  it('says in one line what is wrong, and whose fault it is', async () => {
    const app = await aReadingServer(STATIC_TOKENS, { token: ADMIN });
    const device = { model: 'thermostat', serial: 'SN-1', url: app.url };
    const file = await aText();
    const failing = async (code: number, sentence: string, ...args: Parameters<typeof run>) => {
      const result = await run(...args);
      expect(result).toMatchObject({ code, out: '' });
      expect(result.err).toContain(sentence);
      expect(result.err.trimEnd().split('\n')).toHaveLength(1);
    };

    await failing(2, '--url "nonsense" is not an http', file, { ...device, url: 'nonsense' });
    await failing(2, 'name the device by --serial and --model', file, { url: app.url, token: ADMIN });
    await failing(2, '--device names the device alone', file, { ...device, device: 'dev1' });
    await failing(1, 'cannot be read', '/nowhere/crash.txt', device);
    await failing(1, 'standard input is empty', '-', device);
    await failing(1, 'the server wants a token', file, device);
    await failing(1, 'your token is a viewer’s', file, { ...device, token: VIEWER });
    await failing(1, 'device model "pump"', file, { ...device, model: 'pump', token: ADMIN });
    await failing(1, 'the server has no device "dev9"', file, { url: app.url, device: 'dev9', token: ADMIN });
    expect(await storedIn(app)).toEqual([]);
  });
});
