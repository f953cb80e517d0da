import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type App, startApp } from '../../src/compose/start-app.js';
import { type Config, readConfig } from '../../src/config/settings.js';
import type { Clock } from '../../src/platform/clock.js';
import { createLogger, type Logger } from '../../src/platform/logger.js';
import { aMigratedDatabaseUrl } from './database.js';
import { askAlone, fetchAlone } from './own-connection.js';

export interface TestApp extends App {
  readonly dir: string;
  readonly config: Config;
  /** Runs a GraphQL document; rejects when the answer has errors. */
  graphql<Data>(query: string, variables?: object): Promise<Data>;
  /** Starts again on the same folder, as after a crash or a stop. */
  restart(environment?: Record<string, string>): Promise<TestApp>;
  /** Starts one more server on the same database and storage; only PostgreSQL allows it. */
  another(environment?: Record<string, string>): Promise<TestApp>;
}

/** A server on a folder of its own, with a real database and real files, gone when the test is. */
export async function aServer(
  environment: Record<string, string> = {},
  options: Options = {},
): Promise<TestApp> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-test-'));
  onTestFinished(async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const DATABASE_URL = environment.DATABASE_URL ?? (await aMigratedDatabaseUrl(dir));
  return start(dir, { ...environment, DATABASE_URL }, options);
}

interface Options {
  /** With which `graphql` asks, where authentication is on. */
  token?: string;
  log?: Logger;
  clock?: Clock;
}

async function start(dir: string, environment: Record<string, string>, options: Options): Promise<TestApp> {
  const config = readConfig({
    PORT: '0',
    COREDUMPS_DIR: join(dir, 'coredumps'),
    ASSETS_DIR: join(dir, 'firmware'),
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    SHUTDOWN_GRACE_MS: '2000',
    // Tests send in a minute what a device would not; those of the limits say so themselves.
    DEVICE_UPLOADS_PER_MINUTE: '1000000',
    AUTH_FAILURES_PER_MINUTE: '1000000',
    ...environment,
  });
  const { token, log = createLogger(config), clock } = options;
  const app = await startApp(config, {
    log,
    retryDelayMs: 5,
    queriesApart: false,
    ...(clock === undefined ? {} : { clock }),
  });
  onTestFinished(app.close);
  return {
    ...app,
    dir,
    config,
    graphql: (query, variables) => askAlone(app, query, { variables, token }),
    async restart(changes = {}) {
      await app.close();
      return start(dir, { ...environment, ...changes }, options);
    },
    another: (changes = {}) => start(dir, { ...environment, ...changes }, options),
  };
}

/** The header that shows a token; none without one. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** A registered model and device, ready to upload. */
export async function aDevice(
  app: Pick<TestApp, 'graphql'>,
  { key = 'dev1', modelCode = 'thermostat' } = {},
) {
  const { deviceModel } = await app.graphql<{ deviceModel: object | null }>(
    'query ($code: String!) { deviceModel(code: $code) { id } }',
    { code: modelCode },
  );
  if (deviceModel === null) {
    await app.graphql(
      'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
      {
        input: { code: modelCode, name: modelCode },
      },
    );
  }
  const { createDevice } = await app.graphql<{
    createDevice: { device: { id: string; key: string }; token: string };
  }>('mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { device { id key } token } }', {
    input: { modelCode, key },
  });
  return { ...createDevice.device, token: createDevice.token, modelCode };
}

export interface Stored {
  status: string;
  filename: string;
  coredumpId: string;
}

/** POSTs a dump as a device does. */
export async function upload(
  app: Pick<App, 'url'>,
  body: Uint8Array | string,
  {
    device = 'dev1',
    chip = 'esp32c3',
    version = '1.0.0',
    headers = {},
  }: { device?: string; chip?: string; version?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const query = new URLSearchParams({ chip, firmware_version: version, device_key: device });
  return fetch(`${app.url}/api/iot/coredump?${query}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(Buffer.from(body)),
  });
}

/** The same, for when it must succeed. */
export async function stored(...args: Parameters<typeof upload>): Promise<Stored> {
  const response = await upload(...args);
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${await response.text()}`);
  return (await response.json()) as Stored;
}

/** What `/readyz` answers, with its status as `code`: a test that expects 200 shows what is down instead. */
export async function readiness(app: Pick<App, 'url'>): Promise<{ code: number; [part: string]: unknown }> {
  const answer = await fetchAlone(`${app.url}/readyz`);
  return { ...((await answer.json()) as object), code: answer.status };
}

export async function errorOf(
  response: Response,
): Promise<{ status: number; code: string; message: string }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

/** Waits for a condition, not for a time; the limit only ends a test that would never end. */
export async function eventually<T>(
  check: () => Promise<T | null | undefined | false>,
  what = 'the condition',
  { limitMs = 60_000, everyMs = 10 } = {},
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what} never came true`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
