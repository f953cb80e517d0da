import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildForHost, hasGcc } from './support/build-device.js';
import { aBuiltServer, type BuiltServer, registerDevices } from './support/built-server.js';
import { type DeathCase, dieOnce, newTally, runOnce } from './support/campaign.js';

const RUNS = Number(process.env.DEVICE_RUNS ?? 60);
const FIRST_SEED = Number(process.env.DEVICE_SEED ?? 1);
/** Devices at a time: most of them wait. */
const TOGETHER = 8;
const KILLS = 2;
/** More than a device takes that has a small dump to send. */
const MAX_STEPS = 160;

describe.skipIf(!hasGcc)('the device component under faults (needs gcc)', () => {
  let server: BuiltServer;
  beforeAll(async () => {
    await buildForHost({ name: 'device' });
    server = await aBuiltServer({ MAX_COREDUMPS: '50' });
  });
  afterAll(() => server?.close());

  it(`loses no crash and sends none twice, in ${RUNS} runs`, {
    timeout: 120_000 + RUNS * 3_000,
  }, async () => {
    const keys = Array.from({ length: RUNS }, (_, run) => `dev${FIRST_SEED + run}`);
    await registerDevices(server, 'thermostat', keys);
    const tally = newTally();
    let next = 0;
    const isOver = () => next >= RUNS;

    const workers = Array.from({ length: TOGETHER }, async () => {
      while (!isOver()) {
        const run = next++;
        await runOnce(server, keys[run] ?? '', FIRST_SEED + run, tally);
        if (run % Math.ceil(RUNS / (KILLS + 1)) === 5) await server.killAndStart();
      }
    });
    await Promise.all(workers);

    if (process.env.DEVICE_FIGURES !== undefined) process.stdout.write(`${JSON.stringify(tally)}\n`);
    expect(tally.problems).toEqual([]);
    expect(tally.runs).toBe(RUNS);
    expect(tally.powerLosses).toBeGreaterThan(RUNS / 4);
  });

  it('loses no crash and sends none twice, with its power lost at each step', {
    timeout: 300_000,
  }, async () => {
    const steps = Array.from({ length: MAX_STEPS }, (_, index) => index + 1);
    const cases = [
      ...steps.slice(0, MAX_STEPS / 2).map((step) => ({ step, isEncrypted: false, crashesAgain: false })),
      // Encryption and the next crash meet only what is left in flash when erasing was interrupted.
      ...steps.slice(MAX_STEPS / 2).flatMap((step) => [
        { step, isEncrypted: false, crashesAgain: true },
        { step, isEncrypted: true, crashesAgain: true },
      ]),
    ];
    const keys = cases.map(({ step, isEncrypted }) => `step${step}${isEncrypted ? 'e' : 'p'}`);
    await registerDevices(server, 'lamp', keys);
    const problems: string[] = [];
    let survived = 0;
    let next = 0;

    const workers = Array.from({ length: TOGETHER }, async () => {
      while (next < cases.length) {
        const at = next++;
        const one = cases[at] as DeathCase;
        const { died, problem } = await dieOnce(server, keys[at] ?? '', one);
        if (problem !== null) problems.push(problem);
        if (!died) survived += 1;
      }
    });
    await Promise.all(workers);

    expect(problems).toEqual([]);
    // Past the last step nothing happens any more: every step was tried.
    expect(survived).toBeGreaterThan(0);
    expect(survived).toBeLessThan(cases.length / 2);
  });
});
