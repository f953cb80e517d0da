import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aDevice, aServer, stored } from '../support/app.js';
import { uploadFirmware } from '../support/firmware.js';
import { ended, metric } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

describe('the attempts of a parse', () => {
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
