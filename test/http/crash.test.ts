import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, errorOf, type Stored, stored, type TestApp } from '../support/app.js';
import { anIngestKey } from '../support/enrolment.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const SUMMARY = {
  reason: 'LoadProhibited',
  task: 'wifi',
  pc: '0x400D1234',
  backtrace: ['0x400d1231', '0x400d2000'],
  registers: { excvaddr: '0x10', exccause: 28, a0: '0x800d1234' },
  elf_sha256: 'ABCDEF0123',
  firmware_version: '1.4.2',
  chip: 'esp32',
  stack: { address: '0x3ffb0000', data: Buffer.from('stack words!').toString('base64') },
  log: ['I (1) boot: up', 'E (2) wifi: gone'],
};

interface Sent {
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

function send(app: TestApp, body: unknown, { query = { device_key: 'dev1' }, headers = {} }: Sent = {}) {
  return fetch(`${app.url}/api/iot/crash?${new URLSearchParams(query)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function sent(app: TestApp, body: unknown, options?: Sent): Promise<Stored> {
  const response = await send(app, body, options);
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Stored;
}

const CRASH = `query ($id: ID!) { coredump(id: $id) {
  kind chip firmwareVersion size parseStatus downloadUrl device { key crashCount }
} }`;

async function crashOf(app: TestApp, id: string) {
  const { coredump } = await app.graphql<{ coredump: Record<string, unknown> & { downloadUrl: string } }>(
    CRASH,
    { id },
  );
  return coredump;
}

async function countOf(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps { totalCount } }',
  );
  return coredumps.totalCount;
}

describe('the summary of a crash', () => {
  it('is stored as a crash of its kind, as JSON with its known fields', async () => {
    const app = await aServer();
    await aDevice(app);

    const { coredumpId, filename, ...answer } = await sent(app, { ...SUMMARY, boot_count: 7 });

    expect(answer).toEqual({ status: 'ok' });
    expect(filename).toMatch(/^coredump_\d{8}T\d{6}_\d{6}Z\.dmp$/);
    const { downloadUrl, ...crash } = await crashOf(app, coredumpId);
    expect(crash).toEqual({
      kind: 'SUMMARY',
      chip: 'esp32',
      firmwareVersion: '1.4.2',
      size: expect.any(Number),
      parseStatus: 'PENDING',
      device: { key: 'dev1', crashCount: 1 },
    });
    const download = await fetch(app.url + downloadUrl);
    expect(download.headers.get('content-type')).toBe('application/json');
    expect(download.headers.get('content-disposition')).toBe(
      `attachment; filename="${filename.replace('.dmp', '.json')}"`,
    );
    expect(await download.json()).toEqual({
      ...SUMMARY,
      pc: '0x400d1234',
      registers: { a0: '0x800d1234', exccause: '0x0000001c', excvaddr: '0x00000010' },
      elf_sha256: 'abcdef0123',
      log: 'I (1) boot: up\nE (2) wifi: gone',
    });
    const elf = await fetch(`${app.url}/api/coredumps/${encodeURIComponent(coredumpId)}/core.elf`);
    expect(await errorOf(elf)).toEqual({
      status: 409,
      code: 'CONFLICT',
      message: 'There is no core ELF: this is a crash summary, which has no memory that GDB could open.',
    });
  });

  it('is one crash when it is sent again: with the same content in another form, or with its key', async () => {
    const app = await aServer();
    await aDevice(app);
    const first = await sent(app, SUMMARY);
    const { log, pc, ...rest } = SUMMARY;

    const again = await sent(app, { log: log.join('\n'), later: null, ...rest, pc: pc.toLowerCase() });
    const other = await sent(app, { ...SUMMARY, task: 'main' });
    const keyed = await sent(app, SUMMARY, { headers: { 'Idempotency-Key': '"boot-8"' } });
    const keyedAgain = await sent(app, { reason: 'x' }, { headers: { 'Idempotency-Key': '"boot-8"' } });

    expect(again).toEqual(first);
    expect(other.coredumpId).not.toBe(first.coredumpId);
    // The same bytes a moment ago, without a key, are the same crash.
    expect(keyed).toEqual(first);
    expect(keyedAgain.coredumpId).not.toBe(first.coredumpId);
    expect((await sent(app, { reason: 'y' }, { headers: { 'Idempotency-Key': 'boot-8' } })).coredumpId).toBe(
      keyedAgain.coredumpId,
    );
  });

  it('has the chip and version of the last boot report, else none', async () => {
    const app = await aServer();
    await aDevice(app);
    const before = await sent(app, { reason: 'panic', firmware_version: '' });
    await fetch(`${app.url}/api/iot/boot?device_key=dev1&firmware_version=2.0.1&chip=esp32c6`, {
      method: 'POST',
    });
    const after = await sent(app, { pc: '0x4200abcd' });
    const named = await sent(app, { pc: '0x4200abce' }, { query: { device_key: 'dev1', chip: 'esp32c3' } });

    expect(await crashOf(app, before.coredumpId)).toMatchObject({
      chip: 'unknown',
      firmwareVersion: 'unknown',
    });
    expect(await crashOf(app, after.coredumpId)).toMatchObject({ chip: 'esp32c6', firmwareVersion: '2.0.1' });
    expect(await crashOf(app, named.coredumpId)).toMatchObject({ chip: 'esp32c3', firmwareVersion: '2.0.1' });
  });

  it('comes with the credentials of uploads, named in the address or in the JSON', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);
    const { key } = await anIngestKey(app);
    const ofDevice = await sent(app, SUMMARY, { query: {}, headers: bearer(device.token) });
    const newcomer = { ...SUMMARY, device_serial: 'SN-7' };
    const refused = await send(app, { ...newcomer, pc: 7 }, { query: {}, headers: bearer(key) });
    const registered = await sent(app, newcomer, { query: {}, headers: bearer(key) });
    const known = await sent(app, newcomer, { query: {}, headers: bearer(key) });

    expect((await crashOf(app, ofDevice.coredumpId)).device).toEqual({ key: 'dev1', crashCount: 1 });
    // What is refused registers nobody.
    expect(refused.status).toBe(400);
    expect(registered).toMatchObject({ device: { key: expect.any(String) } });
    expect(known).toEqual({ ...registered, device: undefined });
    expect(await errorOf(await send(app, SUMMARY))).toMatchObject({ status: 401 });
    expect(
      await errorOf(
        await send(app, SUMMARY, { query: { device_key: 'dev2' }, headers: bearer(device.token) }),
      ),
    ).toMatchObject({ status: 403 });
  });

  it('shares the rate of the device with its uploads; what was stored is still confirmed', async () => {
    const app = await aServer({ DEVICE_UPLOADS_PER_MINUTE: '2', DEVICE_UPLOAD_BURST: '1' });
    await aDevice(app);
    await stored(app, 'a dump');
    const first = await sent(app, SUMMARY);
    await sent(app, { reason: 'two' });

    const over = await send(app, { reason: 'three' });

    expect(over.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await errorOf(over)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(await sent(app, SUMMARY)).toEqual(first);
    expect(await countOf(app)).toBe(3);
  });

  const LONG = 'x'.repeat(9_000);
  const WRONG: Array<[what: string, body: unknown, sentence: string]> = [
    [
      'nothing',
      {},
      'Give at least one of reason, pc and backtrace: without them it says nothing of a crash.',
    ],
    ['an empty backtrace alone', { backtrace: [] }, 'Give at least one of reason, pc and backtrace'],
    ['a reason of blanks alone', { reason: ' \n' }, 'Give at least one of reason, pc and backtrace'],
    [
      'a register without a name',
      { pc: '0x1', registers: { 'a 0': '0x1' } },
      'registers must have names of 1 to 16 letters, digits, "_" and "/".',
    ],
    ['a number as address', { pc: 1074598452 }, 'pc must be an address as a text, such as "0x400d1234".'],
    ['an address without 0x', { pc: '400d1234' }, 'pc must be an address'],
    ['an address of 64 bits', { pc: '0x1400d1234' }, 'pc must be an address'],
    [
      'one wrong address',
      { backtrace: ['0x1', '0x2', '0x3', 'main'] },
      'backtrace[3] must be an address as a text, such as "0x400d1234".',
    ],
    ['no list', { backtrace: '0x1' }, 'backtrace must be a list of addresses'],
    ['65 addresses', { backtrace: Array(65).fill('0x1') }, 'backtrace has more than 64 addresses.'],
    ['a wrong register', { pc: '0x1', registers: { a0: -1 } }, 'registers.a0 must be a text such as'],
    ['a long reason', { reason: LONG }, 'reason must be a text of 1 to 1000 characters.'],
    ['an empty task', { pc: '0x1', task: '' }, 'task must be a text of 1 to 64 characters.'],
    [
      'a hash that is none',
      { pc: '0x1', elf_sha256: 'xyz' },
      'elf_sha256 must be 1 to 64 hexadecimal digits.',
    ],
    [
      'a stack that is no base64',
      { pc: '0x1', stack: { address: '0x1', data: '*' } },
      'stack.data must be base64',
    ],
    [
      'a stack without its address',
      { pc: '0x1', stack: { data: 'AAAA' } },
      'stack.address must be an address',
    ],
    [
      'a stack that is too large',
      { pc: '0x1', stack: { address: '0x1', data: 'A'.repeat(11_000) } },
      'stack.data must be base64 of 1 to 8192 bytes.',
    ],
    [
      'a long log',
      { pc: '0x1', log: LONG },
      'log must be a text, or a list of lines, of at most 8192 bytes.',
    ],
    ['a log of numbers', { pc: '0x1', log: [1] }, 'log must be a text, or a list of lines'],
    [
      'a version that is a path',
      { pc: '0x1', firmware_version: '../1' },
      'firmware_version must be 1 to 64 of',
    ],
    [
      'a version that is a number',
      { pc: '0x1', firmware_version: 1.1 },
      'firmware_version must be a text, in quotes.',
    ],
    ['a chip twice', { pc: '0x1', chip: 'esp32', device_key: 'dev1' }, 'device_key is given more than once.'],
    ['a list', [SUMMARY], 'The body is not a JSON object'],
    ['a panic text', 'Guru Meditation Error: Core  0', 'goes to /api/iot/coredump'],
    ['nothing at all', '', 'The body is not a JSON object'],
  ];

  it('that is wrong is refused with a sentence that names what, and stores nothing', async () => {
    const app = await aServer();
    await aDevice(app);

    for (const [what, body, sentence] of WRONG) {
      const refusal = await errorOf(await send(app, body));
      expect({ what, ...refusal }).toMatchObject({ what, status: 400, code: 'BAD_USER_INPUT' });
      expect(refusal.message, what).toContain(sentence);
    }
    expect(await countOf(app)).toBe(0);
  });

  it('has at most 16 KiB, and is no form', async () => {
    const app = await aServer();
    await aDevice(app);
    const large = await send(app, { ...SUMMARY, later: 'x'.repeat(16 * 1024) });
    const form = new FormData();
    form.set('file', new Blob([JSON.stringify(SUMMARY)]), 'crash.json');
    const multipart = await fetch(`${app.url}/api/iot/crash?device_key=dev1`, { method: 'POST', body: form });
    const other = await fetch(`${app.url}/api/iot/crash?device_key=dev1`);

    expect(await errorOf(large)).toEqual({
      status: 413,
      code: 'TOO_LARGE',
      message: 'The summary of a crash has at most 16384 bytes.',
    });
    expect(await errorOf(multipart)).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message:
        'A multipart form is not the summary: send JSON as the request body, with Content-Type: application/json.',
    });
    expect(other.status).toBe(405);
    expect(await countOf(app)).toBe(0);
  });

  it('is taken with the content type that curl gives it', async () => {
    const app = await aServer();
    await aDevice(app);

    const response = await send(app, SUMMARY, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });

    expect(response.status).toBe(201);
  });
});
