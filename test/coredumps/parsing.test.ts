import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

interface Dump {
  parseStatus: string;
  parseAttempts: number;
  parsedOutput: string | null;
  firmware: { version: string; elfSha256: string } | null;
  report: { reason: string } | null;
}

async function dump(app: TestApp, id: string): Promise<Dump | null> {
  const { coredump } = await app.graphql<{ coredump: Dump | null }>(
    `query ($id: ID!) { coredump(id: $id) {
      parseStatus parseAttempts parsedOutput firmware { version elfSha256 } report { reason }
    } }`,
    { id },
  );
  return coredump;
}

async function ended(app: TestApp, id: string): Promise<Dump> {
  return eventually(async () => {
    const now = await dump(app, id);
    return now?.parseStatus === 'PENDING' ? null : now;
  }, 'the parse ends');
}

/** A gate that a test opens when it is time. */
function aGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function metric(app: TestApp, line: string): Promise<boolean> {
  return (await (await fetch(`${app.url}/metrics`)).text()).includes(line);
}

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

  it('gives up after three failed attempts, saying why', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 500, { error: 'worker died' }));
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, {});

    const { coredumpId } = await stored(app, 'dump');

    expect(await ended(app, coredumpId)).toMatchObject({
      parseStatus: 'ERROR',
      parseAttempts: 3,
      parsedOutput: 'Unable to parse coredump: the sidecar answered 500: worker died',
    });
    expect(sidecar.requests).toHaveLength(3);
    expect(new Set(sidecar.requests.map(({ core }) => core)).size).toBe(3);
    expect(await readdir(sidecar.xferDir)).toEqual([]);
    expect(await metric(app, 'coredump_parse_total{status="error"} 1')).toBe(true);
  });

  it('succeeds when an attempt fails and the next does not', async () => {
    let calls = 0;
    const sidecar = await aSidecar((_, response) => {
      calls++;
      if (calls < 3) response.destroy();
      else answerJson(response, 200, { output: 'third time lucky' });
    });
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, {});

    const { coredumpId } = await stored(app, 'dump');

    expect(await ended(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parseAttempts: 3 });
  });

  it('ends at once when the dump itself is unreadable', async () => {
    const sidecar = await aSidecar((_, response) =>
      answerJson(response, 422, { error: 'this is a holiday photo' }),
    );
    const app = await aServer(sidecar.environment);
    await aDevice(app);
    await uploadFirmware(app, {});

    const { coredumpId } = await stored(app, 'dump');

    expect(await ended(app, coredumpId)).toMatchObject({
      parseStatus: 'ERROR',
      parseAttempts: 1,
      parsedOutput: 'Unable to parse coredump: this is a holiday photo',
    });
  });

  describe('counts as a failed attempt', () => {
    it.each<[string, Parameters<typeof aSidecar>[0], string, string?]>([
      ['no JSON', (_, response) => void response.end('<html>'), 'without {"output"'],
      ['no output', (_, response) => answerJson(response, 200, { result: 1 }), 'without {"output"'],
      [
        'a redirect',
        (_, response) => void response.writeHead(302, { Location: '/parse-coredump' }).end(),
        '302',
      ],
      ['an answer of 100 MB', (_, response) => endless(response), 'larger than'],
      ['no answer', () => {}, 'did not answer within 300 ms', '300'],
    ])('%s', async (_, answer, reason, timeoutMs = '30000') => {
      const sidecar = await aSidecar(answer);
      const app = await aServer({ ...sidecar.environment, PARSE_TIMEOUT_MS: timeoutMs });
      await aDevice(app);
      await uploadFirmware(app, {});

      const { coredumpId } = await stored(app, 'dump');
      const result = await ended(app, coredumpId);

      expect(result).toMatchObject({ parseStatus: 'ERROR', parseAttempts: 3 });
      expect(result.parsedOutput).toContain(reason);
      expect(result.parsedOutput?.length).toBeLessThan(3_000);
    });
  });

  it('leaves a dump PENDING, uncounted, when no sidecar is configured, and reads it when one is', async () => {
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId } = await stored(app, 'dump');

    expect(await dump(app, coredumpId)).toMatchObject({ parseStatus: 'PENDING', parseAttempts: 0 });
    await expect(
      app.graphql('mutation ($id: ID!) { reparseCoredump(id: $id) { id } }', { id: coredumpId }),
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

      await app.graphql('mutation ($id: ID!) { deleteCoredump(id: $id) }', { id: coredumpId });
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
      await app.graphql('mutation ($id: ID!) { reparseCoredump(id: $id) { parseStatus } }', {
        id: coredumpId,
      });
      await eventually(async () => calls === 2, 'the second parse has begun');

      gates[1]?.open();
      expect(await ended(app, coredumpId)).toMatchObject({ parsedOutput: 'answer 1' });
      gates[0]?.open();
      await eventually(async () => (await readdir(sidecar.xferDir)).length === 0, 'both attempts have ended');

      expect(await dump(app, coredumpId)).toMatchObject({ parseStatus: 'PARSED', parsedOutput: 'answer 1' });
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

  it('says so when the file of a dump is gone', async () => {
    const sidecar = await aSidecar((_, response) => answerJson(response, 200, { output: 'never' }));
    const app = await aServer();
    await aDevice(app);
    await uploadFirmware(app, {});
    const { coredumpId, filename } = await stored(app, 'dump');
    await rm(join(app.config.coredumpsDir, 'dev1', filename));

    const withParser = await app.restart(sidecar.environment);

    expect((await ended(withParser, coredumpId)).parsedOutput).toContain('its file is missing');
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

    const { reparseCoredumps } = await app.graphql<{ reparseCoredumps: number }>(
      'mutation { reparseCoredumps(filter: { chip: ["esp32c3"] }) }',
    );

    expect(reparseCoredumps).toBe(2);
    await eventually(async () => calls === 5, 'both were read again');
  });
});

function endless(response: import('node:http').ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const chunk = 'x'.repeat(1024 * 1024);
  let sent = 0;
  const more = () => {
    if (response.destroyed || sent++ > 100) return void response.end();
    response.write(chunk, () => setImmediate(more));
  };
  more();
}
