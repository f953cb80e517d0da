/**
 * `npm run demo`: the main job, for real, on embedded defaults. Starts the whole stack as `coredock start` does, then
 * plays everybody who uses it, each through their own door: the admin (GraphQL), CI (a firmware bundle), the device
 * (REST) and the dashboard (a subscription).
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-sse';
import { ZipFile } from 'yazl';

const MODEL = { code: 'thermostat', name: 'Thermostat (demo)' };
const DEVICE = { key: 'demo0001', name: 'Hallway' };
const FIRMWARE_VERSION = '1.0.0';
const FIXTURES = new URL('../test/fixtures/firmware/', import.meta.url);
const ELF = new URL('thermostat-1.0.0.elf', FIXTURES);
const DUMP = new URL('thermostat-1.0.0-null-pointer.dmp', FIXTURES);
const PARSE_DEADLINE_MS = 60_000;

const { values: options } = parseArgs({ options: { exit: { type: 'boolean', default: false } } });
const server = await startStack();
try {
  const succeeded = await play(server.url);
  process.exitCode = succeeded ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
if (options.exit || process.exitCode !== 0) await server.stop();
else say(`\nStill running. Dashboard (GraphiQL): ${server.url}/graphql    Stop with Ctrl-C.`);

async function play(url: string): Promise<boolean> {
  say(`1. The stack is up at ${url}`);

  await createModel(url);
  await createDevice(url);
  say(`2. Model "${MODEL.code}" and device "${DEVICE.key}" are registered`);

  const elfSha256 = await uploadFirmware(url);
  say(`3. CI uploaded firmware ${FIRMWARE_VERSION} (ELF SHA-256 ${elfSha256.slice(0, 16)}…)`);

  const statuses = followParseStatus(url);
  const { coredumpId, filename } = await uploadDump(url);
  say(`4. The device crashed and sent its core dump: ${filename}`);

  const dump = await statuses.endOf(coredumpId);
  say(`5. Seen over the subscription: ${dump.seen.join(' → ')}\n`);
  say(dump.parsedOutput ?? '(no output)');
  return dump.parseStatus === 'PARSED';
}

async function createModel(url: string): Promise<void> {
  const { deviceModel } = await graphql<{ deviceModel: object | null }>(
    url,
    'query ($code: String!) { deviceModel(code: $code) { id } }',
    { code: MODEL.code },
  );
  if (deviceModel !== null) return;
  await graphql(
    url,
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { id } }',
    {
      input: MODEL,
    },
  );
}

async function createDevice(url: string): Promise<void> {
  const { device } = await graphql<{ device: object | null }>(
    url,
    'query ($key: String!) { device(key: $key) { id } }',
    {
      key: DEVICE.key,
    },
  );
  if (device !== null) return;
  await graphql(
    url,
    'mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } } }',
    {
      input: { ...DEVICE, modelCode: MODEL.code },
    },
  );
}

/** A GraphQL multipart request (github.com/jaydenseric/graphql-multipart-request-spec), as CI sends it with curl. */
async function uploadFirmware(url: string): Promise<string> {
  const form = new FormData();
  const query =
    'mutation ($model: String!, $bundle: Upload!) { uploadFirmware(modelCode: $model, bundle: $bundle) { elfSha256 } }';
  form.set('operations', JSON.stringify({ query, variables: { model: MODEL.code, bundle: null } }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', new Blob([await zipBundle()]), 'firmware.zip');
  const response = await fetch(`${url}/graphql`, { method: 'POST', body: form });
  return unwrap<{ uploadFirmware: { elfSha256: string } }>(await response.json()).uploadFirmware.elfSha256;
}

async function zipBundle(): Promise<Uint8Array<ArrayBuffer>> {
  const zip = new ZipFile();
  zip.addBuffer(await readFile(ELF), `${MODEL.code}.elf`);
  zip.addBuffer(Buffer.from(JSON.stringify({ version: FIRMWARE_VERSION })), 'version.json');
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

async function uploadDump(url: string): Promise<{ coredumpId: string; filename: string }> {
  const query = new URLSearchParams({
    chip: 'esp32c3',
    firmware_version: FIRMWARE_VERSION,
    device_key: DEVICE.key,
  });
  const response = await fetch(`${url}/api/iot/coredump?${query}`, {
    method: 'POST',
    // Without it a second demo within ten minutes would be taken for a device that repeats itself.
    headers: { 'Content-Type': 'application/octet-stream', 'Idempotency-Key': crypto.randomUUID() },
    body: await readFile(DUMP),
  });
  if (response.status !== 201)
    throw new Error(`the upload was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as { coredumpId: string; filename: string };
}

interface DumpStatus {
  id: string;
  parseStatus: 'PENDING' | 'PARSED' | 'ERROR';
  parsedOutput: string | null;
}

/** Subscribes at once and remembers every status, so that none is missed between the upload and the question. */
function followParseStatus(url: string) {
  const client = createClient({ url: `${url}/graphql` });
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
      const deadline = Date.now() + PARSE_DEADLINE_MS;
      for (;;) {
        const seen = ofDump.get(id) ?? [];
        const last = seen.at(-1);
        if (last !== undefined && last.parseStatus !== 'PENDING') {
          client.dispose();
          return { ...last, seen: seen.map(({ parseStatus }) => parseStatus) };
        }
        if (Date.now() > deadline)
          throw new Error(`no parse status came within ${PARSE_DEADLINE_MS / 1000} s`);
        await new Promise<void>((resolve) => {
          changed = resolve;
          setTimeout(resolve, 1_000);
        });
      }
    },
  };
}

async function graphql<Data>(url: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return unwrap<Data>(await response.json());
}

function unwrap<Data>(answer: unknown): Data {
  const { data, errors } = answer as { data?: Data; errors?: Array<{ message: string }> };
  if (data == null || errors !== undefined)
    throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no answer');
  return data;
}

/** `coredock start` as a child, its log shown only when it does not come up. */
async function startStack(): Promise<{ url: string; stop(): Promise<void> }> {
  const cli = fileURLToPath(new URL('./coredock.cjs', import.meta.url));
  const child = spawn(process.execPath, [cli, 'start'], { stdio: ['ignore', 'inherit', 'pipe'] });
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
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
  child.stderr.removeAllListeners('data').resume();
  return { url, stop };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
