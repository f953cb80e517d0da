import { readFile } from 'node:fs/promises';
import { ZipFile } from 'yazl';
import { FIXTURES } from './fleet.js';

/** A server, and the token of the demo's admin: null without authentication. */
export interface DemoServer {
  readonly url: string;
  readonly adminToken: string | null;
}

/** One GraphQL request. @throws Error with the server's messages */
export async function graphql<Data>(
  server: DemoServer,
  query: string,
  variables: object = {},
): Promise<Data> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...authorization(server.adminToken) },
    body: JSON.stringify({ query, variables }),
  });
  return unwrap<Data>(await response.json());
}

export async function createModel(server: DemoServer, model: { code: string; name: string }): Promise<void> {
  const { deviceModel } = await graphql<{ deviceModel: object | null }>(
    server,
    'query ($code: String!) { deviceModel(code: $code) { id } }',
    { code: model.code },
  );
  if (deviceModel !== null) return;
  await graphql(
    server,
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { input: { code: model.code, name: model.name } },
  );
}

export async function createDevice(
  server: DemoServer,
  device: { key: string; name: string; modelCode: string },
): Promise<void> {
  const { device: known } = await graphql<{ device: object | null }>(
    server,
    'query ($key: String!) { device(key: $key) { id } }',
    { key: device.key },
  );
  if (known !== null) return;
  await graphql(
    server,
    'mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } } }',
    { input: device },
  );
}

/** A GraphQL multipart request (github.com/jaydenseric/graphql-multipart-request-spec), as CI sends it with curl. */
export async function uploadFirmware(
  server: DemoServer,
  { file, model, version }: { file: string; model: string; version: string },
): Promise<string> {
  const form = new FormData();
  const query = `mutation ($model: String!, $bundle: Upload!) {
    uploadFirmware(input: { modelCode: $model, bundle: $bundle }) { firmware { elfSha256 } }
  }`;
  form.set('operations', JSON.stringify({ query, variables: { model, bundle: null } }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', new Blob([await zipBundle(file, model, version)]), 'firmware.zip');
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: authorization(server.adminToken),
    body: form,
  });
  const data = unwrap<{ uploadFirmware: { firmware: { elfSha256: string } } }>(await response.json());
  return data.uploadFirmware.firmware.elfSha256;
}

export async function uploadDump(
  server: DemoServer,
  { file, version, deviceKey }: { file: string; version: string; deviceKey: string },
): Promise<{ coredumpId: string; filename: string }> {
  const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: version, device_key: deviceKey });
  const token = server.adminToken === null ? null : await tokenOf(server, deviceKey);
  const response = await fetch(`${server.url}/api/iot/coredump?${query}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/octet-stream',
      // Without a key the same crash within ten minutes would be a duplicate.
      'Idempotency-Key': crypto.randomUUID(),
      ...authorization(token),
    },
    body: await readFile(new URL(file, FIXTURES)),
  });
  if (response.status !== 201)
    throw new Error(`the upload was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as { coredumpId: string; filename: string };
}

export async function reportBoot(
  server: DemoServer,
  { version, deviceKey, resetReason, uptimeSeconds }: Boot,
): Promise<void> {
  const query = new URLSearchParams({
    ...{ chip: 'esp32c3', firmware_version: version, device_key: deviceKey },
    ...{ reset_reason: resetReason, uptime_s: String(uptimeSeconds) },
  });
  const token = server.adminToken === null ? null : await tokenOf(server, deviceKey);
  const response = await fetch(`${server.url}/api/iot/boot?${query}`, {
    method: 'POST',
    headers: authorization(token),
  });
  if (response.status !== 204)
    throw new Error(`the boot report was refused: ${response.status} ${await response.text()}`);
}

interface Boot {
  version: string;
  deviceKey: string;
  /** ESP-IDF's name: "poweron", "panic". */
  resetReason: string;
  /** Of the run that ended. */
  uptimeSeconds: number;
}

export function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

const deviceTokens = new Map<string, string>();

/** A token is shown only when it is created, so each device gets a new one at its first crash of this run. */
async function tokenOf(server: DemoServer, key: string): Promise<string> {
  const known = deviceTokens.get(key);
  if (known !== undefined) return known;
  const { device } = await graphql<{ device: { id: string } | null }>(
    server,
    'query ($key: String!) { device(key: $key) { id } }',
    { key },
  );
  if (device === null) throw new Error(`the device ${key} was deleted`);
  const { rotateDeviceToken } = await graphql<{ rotateDeviceToken: { token: string } }>(
    server,
    'mutation ($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }',
    { id: device.id },
  );
  deviceTokens.set(key, rotateDeviceToken.token);
  return rotateDeviceToken.token;
}

async function zipBundle(file: string, model: string, version: string): Promise<Uint8Array<ArrayBuffer>> {
  const zip = new ZipFile();
  zip.addBuffer(await readFile(new URL(`${file}.elf`, FIXTURES)), `${model}.elf`);
  zip.addBuffer(Buffer.from(JSON.stringify({ version })), 'version.json');
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

function unwrap<Data>(answer: unknown): Data {
  const { data, errors } = answer as { data?: Data; errors?: Array<{ message: string }> };
  if (data == null || errors !== undefined)
    throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no answer');
  return data;
}
