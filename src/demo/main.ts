/**
 * `npm run demo`: the whole path of a dump on a real server with embedded defaults. An empty database first gets three
 * weeks of a small fleet's history. Then the whole stack starts as by `coredock start`, and the demo acts as each of
 * its clients: the admin (GraphQL), CI (a firmware bundle), the device (REST) and the dashboard (a subscription).
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-sse';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import { readDotenv } from '../config/dotenv.js';
import { type Config, ConfigError, readConfig } from '../config/settings.js';
import { messageOf } from '../errors.js';
import { assertListenable } from '../http/listen-address.js';
import { PROGRAM_FILE } from '../platform/program-files.js';
import {
  authorization,
  createDevice,
  createModel,
  type DemoServer,
  reportBoot,
  uploadDump,
  uploadFirmware,
} from './api-client.js';
import { aCrash, bootAfter, HISTORY_DAYS } from './fleet.js';
import { playHistory } from './history.js';

const DATA_FOLDER = './data/demo';
const STORAGE_SETTINGS = [
  'S3_BUCKET',
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'S3_FORCE_PATH_STYLE',
];
const MODEL = { code: 'thermostat', name: 'Thermostat' };
const DEVICE = { key: 'demo0001', name: 'Hallway', modelCode: MODEL.code };
const FIRMWARE = { file: 'thermostat-1.0.0', model: MODEL.code, version: '1.0.0' };
const DUMP = 'thermostat-1.0.0-null-pointer.dmp';
const PARSE_DEADLINE_MS = 60_000;
/** Time between two crashes while the demo keeps running, so that the page shows live changes. */
const NEXT_CRASH_MS = 20_000;

const { values: options } = parseArgs({ options: { exit: { type: 'boolean', default: false } } });
readSettings();
useOwnFolder();
const adminToken = createAdminToken();
await fillHistory();
const stack = await startStack();
const server: DemoServer = { url: stack.url, adminToken };
try {
  const succeeded = await play(server);
  process.exitCode = succeeded ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
if (options.exit || process.exitCode !== 0) await stack.stop();
else stayUp(server);

function readSettings(): void {
  try {
    readDotenv();
  } catch (error) {
    // The stack will report the same problem.
    if (!(error instanceof ConfigError)) throw error;
  }
}

/** The demo's data have their own folder, whatever the settings are: its devices must not mix with real ones. */
function useOwnFolder(): void {
  Object.assign(process.env, {
    DATABASE_URL: `file:${DATA_FOLDER}/coredock.db`,
    COREDUMPS_DIR: `${DATA_FOLDER}/coredumps`,
    ASSETS_DIR: `${DATA_FOLDER}/firmware`,
    // An empty setting counts as unset, and `.env` does not set it again.
    ...Object.fromEntries(STORAGE_SETTINGS.map((name) => [name, ''])),
  });
}

/**
 * When the settings require authentication, the demo is an admin with a token for this run only.
 *
 * @returns null without authentication
 */
function createAdminToken(): string | null {
  const { ADMIN_TOKENS, VIEWER_TOKENS, OIDC_ISSUER } = process.env;
  if (!ADMIN_TOKENS && !VIEWER_TOKENS && !OIDC_ISSUER) return null;
  const token = randomToken();
  process.env.ADMIN_TOKENS = [ADMIN_TOKENS, `sha256:${sha256(token)}`].filter(Boolean).join(',');
  return token;
}

async function fillHistory(): Promise<void> {
  try {
    const config = readConfig(process.env);
    if (!(await canListen(config))) return;
    const crashes = await playHistory(config, adminToken);
    if (crashes > 0)
      say(`0. The history is in the database: ${HISTORY_DAYS} days of a fleet with ${crashes} crashes`);
  } catch (error) {
    // The stack will report the same problem.
    if (error instanceof ConfigError) return;
    process.stderr.write(`demo: the history could not be made: ${messageOf(error)}\n`);
  }
}

/** When the port is in use the stack cannot start, and reports that itself; a history would be useless. */
async function canListen(config: Config): Promise<boolean> {
  return assertListenable(config).then(
    () => true,
    () => false,
  );
}

function stayUp(at: DemoServer): void {
  const { url } = at;
  say(`\nIts data are in ${DATA_FOLDER}: remove that folder to remove the demo.`);
  say(`The demo keeps running, with a crash now and then. Stop it with Ctrl-C.`);
  say(`  The page:  ${process.env.PUBLIC_URL || url}`);
  if (at.adminToken !== null)
    say(`  Sign in with the token ${at.adminToken} (an admin’s, until the demo ends)`);
  say(`  GraphiQL:  ${url}/graphql`);
  say(`  To try: drop test/fixtures/firmware/gateway-0.3.0.elf onto ${url}/firmware/gateway`);
  const next = () => {
    const crash = aCrash(HISTORY_DAYS, Math.random);
    const { device, build, file } = crash;
    uploadDump(at, { file, version: build.version, deviceKey: device.key })
      .then(() => reportBoot(at, bootAfter(crash, Math.random)))
      .catch(() => {});
  };
  setInterval(next, NEXT_CRASH_MS).unref();
}

async function play(at: DemoServer): Promise<boolean> {
  say(`1. The stack is up at ${at.url}`);

  await createModel(at, MODEL);
  await createDevice(at, DEVICE);
  say(`2. Model "${MODEL.code}" and device "${DEVICE.key}" are registered`);

  const elfSha256 = await uploadFirmware(at, FIRMWARE);
  say(`3. CI uploaded firmware ${FIRMWARE.version} (ELF SHA-256 ${elfSha256.slice(0, 16)}…)`);

  const statuses = followParseStatus(at);
  const { coredumpId, filename } = await uploadDump(at, {
    file: DUMP,
    version: FIRMWARE.version,
    deviceKey: DEVICE.key,
  });
  say(`4. The device crashed and sent its core dump: ${filename}`);

  const dump = await statuses.endOf(coredumpId);
  say(`5. Seen over the subscription: ${dump.seen.join(' → ')}\n`);
  say(dump.parsedOutput ?? '(no output)');
  return dump.parseStatus === 'PARSED';
}

interface DumpStatus {
  id: string;
  parseStatus: 'PENDING' | 'PARSED' | 'ERROR';
  parsedOutput: string | null;
}

/** Subscribes at once and keeps every status, so that none is missed between the upload and `endOf`. */
function followParseStatus({ url, adminToken: token }: DemoServer) {
  const client = createClient({ url: `${url}/graphql`, headers: authorization(token) });
  const events = client.iterate<{ parseStatus: DumpStatus }>({
    query: `subscription { parseStatus { id parseStatus parsedOutput } }`,
  });
  const ofDump = new Map<string, DumpStatus[]>();
  let changed: () => void = () => {};
  void (async () => {
    for await (const { data } of events) {
      if (data == null) continue;
      const dump = data.parseStatus;
      ofDump.set(dump.id, [...(ofDump.get(dump.id) ?? []), dump]);
      changed();
    }
  })();

  return {
    async endOf(id: string): Promise<DumpStatus & { seen: string[] }> {
      const deadline = performance.now() + PARSE_DEADLINE_MS;
      for (;;) {
        const seen = ofDump.get(id) ?? [];
        const last = seen.at(-1);
        if (last !== undefined && last.parseStatus !== 'PENDING') {
          client.dispose();
          return { ...last, seen: seen.map(({ parseStatus }) => parseStatus) };
        }
        if (performance.now() > deadline)
          throw new Error(`no parse status arrived within ${PARSE_DEADLINE_MS / 1000} s`);
        await new Promise<void>((resolve) => {
          changed = resolve;
          setTimeout(resolve, 1_000);
        });
      }
    },
  };
}

/** `coredock start` as a child process; its log is shown only when it does not start. */
async function startStack(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [PROGRAM_FILE, 'start'], { stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void stop().then(() => process.exit(0)));

  let log = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const found = /"url":"(http:[^"]+)","msg":"Coredock is up"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the stack did not start:\n${log}`)));
  }).catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  });
  child.stderr.removeAllListeners('data').resume();
  return { url, stop };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
