import { createHash } from 'node:crypto';
import { type BuiltServer, dumpsOf } from './built-server.js';
import { aFaultProxy, type Fault } from './fault-proxy.js';
import { aDumpImage, aHostDevice, type Device, unfinished } from './run-device.js';

/** What a run of the campaign went through. */
export interface Tally {
  runs: number;
  crashes: number;
  boots: number;
  powerLosses: number;
  faults: Record<string, number>;
  problems: string[];
}

export const newTally = (): Tally => ({
  runs: 0,
  crashes: 0,
  boots: 0,
  powerLosses: 0,
  faults: {},
  problems: [],
});

/** Time runs this much faster in the devices than here. */
const SPEED = 400;
const MAX_FAULTY_BOOTS = 4;

/**
 * One device, from its first crash to its last upload: it boots with faults of network and server and loses its power at
 * random steps, then without.
 */
export async function runOnce(server: BuiltServer, key: string, seed: number, tally: Tally): Promise<void> {
  const random = randomFrom(seed);
  const proxy = await aFaultProxy(server.port);
  try {
    const device = await aHostDevice({
      folder: server.folder,
      isEncrypted: random(4) === 0,
      isCheckedForLeaks: seed % 10 === 0,
      environment: {
        DEVICE_URL: `http://127.0.0.1:${proxy.port}`,
        DEVICE_KEY: key,
        DEVICE_IDF: random(2) === 0 ? '5' : '6',
        DEVICE_SPEED: String(SPEED),
        DEVICE_RETRY_MIN_S: '2',
        DEVICE_RETRY_MAX_S: '16',
        DEVICE_REFUSED_RETRY_S: '20',
        DEVICE_TIMEOUT_MS: '400',
        DEVICE_PATIENCE_MS: String(1_500 * SPEED),
        DEVICE_LOG_LINES: '1',
      },
    });
    const sent: string[] = [];
    const complain = (what: string) => tally.problems.push(`seed ${seed}: ${what}`);
    const crashes = 1 + random(2);
    for (let crash = 0; crash < crashes; crash += 1) {
      const image = anImage(random);
      await device.crash(image);
      sent.push(sha256Of(image));
      tally.crashes += 1;
      const faultyBoots = random(MAX_FAULTY_BOOTS);
      for (let boot = 0; boot < faultyBoots; boot += 1) {
        proxy.faults = Array.from({ length: random(4) }, () => aFault(random, image.length));
        for (const { kind } of proxy.faults) tally.faults[kind] = (tally.faults[kind] ?? 0) + 1;
        const diesAt = random(3) === 0 ? 0 : 1 + random(100 + image.length / 64);
        await bootAndCount(device, { DEVICE_DIES_AT: String(diesAt) }, tally);
        await checkNothingLost(server, device, key, sent, complain);
      }
      proxy.faults = [];
      await bootAndCount(device, { DEVICE_PATIENCE_MS: String(60_000 * SPEED) }, tally);
      if ((await device.pending()) !== null)
        complain('the dump is still in flash after a boot without faults');
      await checkNothingLost(server, device, key, sent, complain);
    }
    const stored = await dumpsOf(server, key);
    if (stored.join() !== [...sent].sort().join())
      complain(
        `the server has ${stored.length} dumps of ${sent.length} crashes: ${stored} instead of ${sent}`,
      );
    tally.runs += 1;
  } finally {
    await proxy.close();
  }
}

export interface DeathCase {
  step: number;
  isEncrypted: boolean;
  crashesAgain: boolean;
}

/**
 * One device that loses its power at one step, and then boots without faults.
 * @returns whether there was such a step, and what is wrong
 */
export async function dieOnce(
  server: BuiltServer,
  key: string,
  { step, isEncrypted, crashesAgain }: DeathCase,
): Promise<{ died: boolean; problem: string | null }> {
  const device = await aHostDevice({
    folder: server.folder,
    partitionBytes: 3 * 4_096,
    isEncrypted,
    isCheckedForLeaks: false,
    environment: {
      DEVICE_URL: server.url,
      DEVICE_KEY: key,
      DEVICE_SPEED: String(SPEED),
      DEVICE_LOG_LINES: '0',
    },
  });
  const image = aDumpImage(5_000);
  await device.crash(image);
  const { code } = await device.boot({ DEVICE_DIES_AT: String(step) });
  let last = await device.boot({ DEVICE_PATIENCE_MS: String(60_000 * SPEED) });
  const images: Buffer[] = [image];
  if (crashesAgain) {
    // The device cannot finish this one: what is left of the first must not make it look received.
    const next = unfinished(aDumpImage(3_000), 2_000);
    images.push(next);
    await device.crash(next);
    last = await device.boot({ DEVICE_PATIENCE_MS: String(60_000 * SPEED) });
  }
  const stored = await dumpsOf(server, key);
  const isRight =
    last.code === 0 &&
    (await device.pending()) === null &&
    stored.join() === images.map(sha256Of).sort().join();
  const problem = `power lost at step ${step}${isEncrypted ? ', encrypted' : ''}: ${stored.length} of ${images.length} dumps, ${last.log}`;
  return { died: code === 9, problem: isRight ? null : problem };
}

const sha256Of = (image: Buffer) => createHash('sha256').update(image).digest('hex');

async function bootAndCount(
  device: Device,
  environment: Record<string, string>,
  tally: Tally,
): Promise<void> {
  const { code, log } = await device.boot(environment);
  tally.boots += 1;
  if (code === 9) tally.powerLosses += 1;
  else if (code !== 0 && code !== 2) tally.problems.push(`the device ended with ${code}: ${log}`);
}

/** A dump may be missing in flash only if the server has it. */
async function checkNothingLost(
  server: BuiltServer,
  device: Device,
  key: string,
  sent: readonly string[],
  complain: (what: string) => void,
): Promise<void> {
  if ((await device.pending()) !== null) return;
  const stored = await dumpsOf(server, key);
  const newest = sent.at(-1);
  if (newest !== undefined && !stored.includes(newest))
    complain('a dump was erased that the server does not have');
}

function anImage(random: (below: number) => number): Buffer {
  const sizes = [64, 600, 4_096, 9_000, 20_000, 65_520];
  const size = (sizes[random(sizes.length)] ?? 64) + random(16);
  const image = aDumpImage(Math.min(size, 65_536), (bytes) => {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = random(256);
  });
  return random(6) === 0 ? unfinished(image, 40 + random(image.length - 40)) : image;
}

function aFault(random: (below: number) => number, bodyBytes: number): Fault {
  const answer = (status: number, headers = '', body?: string): Fault => ({
    kind: 'answer',
    status,
    headers,
    early: random(2) === 0,
    ...(body === undefined ? {} : { body }),
  });
  const faults: Array<() => Fault> = [
    () => ({ kind: 'refuse' }),
    () => ({ kind: 'cut-request', after: random(400) }),
    () => ({ kind: 'cut-request', after: random(400 + bodyBytes) }),
    () => ({ kind: 'cut-answer', after: 0 }),
    () => ({ kind: 'cut-answer', after: random(600) }),
    () => ({ kind: 'stall' }),
    () => ({ kind: 'slow' }),
    () => answer(408),
    () => answer(409),
    () => answer(413),
    () => answer(429, `Retry-After: ${1 + random(20)}\r\n`),
    () => answer(503, 'Retry-After: 3\r\n'),
    () => answer(502),
    () => answer(401),
    () => answer(307, 'Location: http://127.0.0.1:1/elsewhere\r\n'),
    () => answer(200, '', '<html>please sign in</html>'),
    () => answer(201, '', '{"status":"ok"}'),
    () => answer(204, '', ''),
  ];
  return faults[random(faults.length)]?.() ?? { kind: 'pass' };
}

/** mulberry32: whole numbers below a limit. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
