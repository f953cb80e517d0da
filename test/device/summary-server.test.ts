import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { fixture } from '../support/fixtures.js';
import type { Program } from '../support/program.js';
import { hasGcc, WITH_SUMMARIES } from './support/build-device.js';
import { panicFile, stateOf } from './support/panic-file.js';
import { aHostDevice } from './support/run-device.js';

const BUILD = fixture('thermostat-1.0.0');
const ELF_SHA256 = createHash('sha256').update(readFileSync(BUILD.elfPath)).digest('hex');

interface Crash {
  id: string;
  kind: string;
  parseStatus: string;
  firmwareVersion: string;
  firmware: { elfSha256: string } | null;
  crashGroup: { id: string } | null;
  report: {
    reason: string;
    crashedTask: string | null;
    tasks: Array<{ crashed: boolean; frames: Array<{ function: string | null; line: number | null }> }>;
    logLines: string[];
  } | null;
}

async function crashesOf(program: Program): Promise<Crash[]> {
  const { coredumps } = await program.graphql<{ coredumps: { nodes: Crash[] } }>(
    `{ coredumps(first: 10, filter: { deviceKey: ["dev1"] }) { nodes {
      id kind parseStatus firmwareVersion firmware { elfSha256 } crashGroup { id }
      report { reason crashedTask logLines tasks { crashed frames { function line } } }
    } } }`,
  );
  return coredumps.nodes;
}

const framesIn = ({ report }: Crash) => report?.tasks.find(({ crashed }) => crashed)?.frames;

describe.skipIf(!hasGcc)('a device without a core-dump partition and the server (needs gcc)', () => {
  it('gets the report that a dump of the same crash would have', { timeout: 120_000 }, async () => {
    const program = await aProgramWithDevice();
    const device = await aHostDevice({
      folder: program.dir,
      program: WITH_SUMMARIES,
      environment: {
        DEVICE_URL: program.url,
        DEVICE_KEY: 'dev1',
        DEVICE_SPEED: '400',
        DEVICE_PATIENCE_MS: '8000000',
      },
    });
    device.environment.DEVICE_FLASH = '';

    const running = { DEVICE_VERSION: BUILD.version, DEVICE_ELF_SHA256: ELF_SHA256 };
    await device.panic(panicFile(stateOf(BUILD.dump('null-pointer'))), running);
    // An update came before the device was online again.
    const { code, log } = await device.boot({ DEVICE_VERSION: '2.0.0', DEVICE_RESET_REASON: '4' });
    await device.boot({ DEVICE_VERSION: '2.0.0' });

    expect(code, log).toBe(0);
    const summary = await eventually(
      async () => (await crashesOf(program)).find(({ parseStatus }) => parseStatus !== 'PENDING'),
      'the summary is read',
    );
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'null-pointer');
    const crashes = await crashesOf(program);
    const dump = crashes.find(({ id }) => id === coredumpId) as Crash;
    expect(crashes).toHaveLength(2);
    expect(summary).toMatchObject({
      kind: 'SUMMARY',
      parseStatus: 'PARSED',
      firmwareVersion: BUILD.version,
      firmware: { elfSha256: ELF_SHA256 },
      report: {
        reason: dump.report?.reason,
        crashedTask: 'sensor',
        logLines: [0, 1, 2].map((line) => `I (42) app: line ${line} of 3`),
      },
    });
    expect(framesIn(summary)?.length).toBeGreaterThan(3);
    expect(framesIn(summary)).toEqual(framesIn(dump));
    expect(summary.crashGroup).toEqual(dump.crashGroup);
    const { device: stored } = await program.graphql<{ device: object }>(
      '{ device(key: "dev1") { lastBootVersion lastResetReason } }',
    );
    expect(stored).toMatchObject({ lastBootVersion: '2.0.0' });
  });
});
