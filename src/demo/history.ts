import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from '../compose/start-app.js';
import type { Config } from '../config/settings.js';
import type { Clock } from '../platform/clock.js';
import { DAY_MS } from '../platform/durations.js';
import { openLog } from '../platform/logger.js';
import { CLI_FILE } from '../platform/program-files.js';
import { superviseSidecar } from '../sidecar/supervisor.js';
import {
  createDevice,
  createModel,
  type DemoServer,
  graphql,
  reportBoot,
  uploadDump,
  uploadFirmware,
} from './api-client.js';
import { aCrash, BUILDS, bootAfter, bootsOf, DEVICES, HISTORY_DAYS, MODELS, seededRandom } from './fleet.js';

const PARSE_DEADLINE_MS = 60_000;

/**
 * Fills an empty database with three weeks of a small fleet; does nothing when the database is not empty. The real
 * server runs for it, with a clock that is advanced from crash to crash, so that rows are made as in operation.
 *
 * @param adminToken a token that `config` accepts; null without authentication
 * @returns the number of crashes; 0 when the database was not empty
 */
export async function playHistory(config: Config, adminToken: string | null): Promise<number> {
  if (!isNewDatabase(config.databaseUrl)) return 0;
  const log = await openLog({ ...config, logLevel: 'error' });
  const xferDir = join(config.coredumpsDir, '..', 'xfer');
  const sidecar = await superviseSidecar({ cliPath: CLI_FILE, xferDir, log });
  const clock = createMovableClock(new Date(Date.now() - HISTORY_DAYS * DAY_MS));
  try {
    const parser = { url: sidecar.url(), xferDir };
    const app = await startApp({ ...config, host: '127.0.0.1', port: 0, parser }, { log, clock });
    try {
      return await play({ url: app.url, adminToken }, clock);
    } finally {
      await app.close();
    }
  } finally {
    await sidecar.close();
  }
}

async function play(server: DemoServer, clock: MovableClock): Promise<number> {
  for (const model of MODELS) await createModel(server, model);
  for (const device of DEVICES) await createDevice(server, device);

  const random = seededRandom(20_260_211);
  // Of its own, so that what crashes does not depend on it.
  const bootRandom = seededRandom(20_261_130);
  const begin = clock.now().getTime();
  let crashes = 0;
  for (let day = 0; day < HISTORY_DAYS; day++) {
    for (const build of BUILDS.filter(({ fromDay, isUploaded }) => isUploaded && fromDay === day)) {
      await uploadFirmware(server, build);
    }
    clock.advanceTo(begin + day * DAY_MS);
    await Promise.all(bootsOf(day, bootRandom).map((boot) => reportBoot(server, boot)));
    const hours = crashHours(day, random);
    for (const hour of hours) {
      clock.advanceTo(begin + (day + hour / 24) * DAY_MS);
      const crash = aCrash(day, random);
      const { device, build, file } = crash;
      await uploadDump(server, { file, version: build.version, deviceKey: device.key });
      await reportBoot(server, bootAfter(crash, bootRandom));
      // Before the clock is advanced: a parse has a lease of one minute by that clock.
      await waitUntilParsed(server);
    }
    crashes += hours.length;
  }
  return crashes;
}

/** Hours of a day with a crash, in order: more after a new build, fewer on other days. */
function crashHours(day: number, random: () => number): number[] {
  const sinceBuild = Math.min(
    ...BUILDS.filter(({ fromDay }) => fromDay <= day).map(({ fromDay }) => day - fromDay),
  );
  const count = Math.round(random() * 3 + (sinceBuild < 3 ? 3 : 0.5));
  return Array.from({ length: count }, () => random() * 24).sort((a, b) => a - b);
}

async function waitUntilParsed(server: DemoServer): Promise<void> {
  const deadline = performance.now() + PARSE_DEADLINE_MS;
  for (;;) {
    const { coredumps } = await graphql<{ coredumps: { totalCount: number } }>(
      server,
      '{ coredumps(first: 0, filter: { parseStatus: [PENDING] }) { totalCount } }',
    );
    if (coredumps.totalCount === 0) return;
    if (performance.now() > deadline) throw new Error('the dumps were not parsed in time');
    await sleep(20);
  }
}

function isNewDatabase(databaseUrl: string): boolean {
  return databaseUrl.startsWith('file:') && !existsSync(databaseUrl.slice('file:'.length));
}

interface MovableClock extends Clock {
  advanceTo(ms: number): void;
}

function createMovableClock(begin: Date): MovableClock {
  let atMs = begin.getTime();
  let serial = 0n;
  return {
    now: () => new Date(atMs),
    uniqueMicros: () => BigInt(Math.floor(atMs)) * 1000n + (serial++ % 1000n),
    advanceTo(ms) {
      atMs = ms;
      serial = 0n;
    },
  };
}
