import { readFile } from 'node:fs/promises';
import { ZipFile } from 'yazl';
import { FIXTURES } from './fleet.js';

/** A server, and what lets the demo's people into it: nothing where it lets everybody in. */
export interface House {
  readonly url: string;
  readonly adminToken: string | null;
}

/** What the demo's people, CI and devices do, each through their own API. */
export async function graphql<Data>(house: House, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${house.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...authorization(house.adminToken) },
    body: JSON.stringify({ query, variables }),
  });
  return unwrap<Data>(await response.json());
}

export async function createModel(house: House, model: { code: string; name: string }): Promise<void> {
  const { deviceModel } = await graphql<{ deviceModel: object | null }>(
    house,
    'query ($code: String!) { deviceModel(code: $code) { id } }',
    { code: model.code },
  );
  if (deviceModel !== null) return;
  await graphql(
    house,
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { id } }',
    { input: { code: model.code, name: model.name } },
  );
}

export async function createDevice(
  house: House,
  device: { key: string; name: string; modelCode: string },
): Promise<void> {
  const { device: known } = await graphql<{ device: object | null }>(
    house,
    'query ($key: String!) { device(key: $key) { id } }',
    { key: device.key },
  );
  if (known !== null) return;
  await graphql(
    house,
    'mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } } }',
    { input: device },
  );
}

/** A GraphQL multipart request (github.com/jaydenseric/graphql-multipart-request-spec), as CI sends it with curl. */
export async function uploadFirmware(
  house: House,
  { file, model, version }: { file: string; model: string; version: string },
): Promise<string> {
  const form = new FormData();
  const query =
    'mutation ($model: String!, $bundle: Upload!) { uploadFirmware(modelCode: $model, bundle: $bundle) { elfSha256 } }';
  form.set('operations', JSON.stringify({ query, variables: { model, bundle: null } }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', new Blob([await zipBundle(file, model, version)]), 'firmware.zip');
  const response = await fetch(`${house.url}/graphql`, {
    method: 'POST',
    headers: authorization(house.adminToken),
    body: form,
  });
  return unwrap<{ uploadFirmware: { elfSha256: string } }>(await response.json()).uploadFirmware.elfSha256;
}

export async function uploadDump(
  house: House,
  { file, version, deviceKey }: { file: string; version: string; deviceKey: string },
): Promise<{ coredumpId: string; filename: string }> {
  const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: version, device_key: deviceKey });
  const token = house.adminToken === null ? null : await tokenOf(house, deviceKey);
  const response = await fetch(`${house.url}/api/iot/coredump?${query}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/octet-stream',
      // Without it the same crash within ten minutes would be taken for a device that repeats itself.
      'Idempotency-Key': crypto.randomUUID(),
      ...authorization(token),
    },
    body: await readFile(new URL(file, FIXTURES)),
  });
  if (response.status !== 201)
    throw new Error(`the upload was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as { coredumpId: string; filename: string };
}

export function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

const deviceTokens = new Map<string, string>();

/** A token is only told when it is made, so a device gets a new one the first time that it crashes in this run. */
async function tokenOf(house: House, key: string): Promise<string> {
  const known = deviceTokens.get(key);
  if (known !== undefined) return known;
  const { device } = await graphql<{ device: { id: string } | null }>(
    house,
    'query ($key: String!) { device(key: $key) { id } }',
    { key },
  );
  if (device === null) throw new Error(`there is no device ${key} any more`);
  const { rotateDeviceToken } = await graphql<{ rotateDeviceToken: { token: string } }>(
    house,
    'mutation ($id: ID!) { rotateDeviceToken(id: $id) { token } }',
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
