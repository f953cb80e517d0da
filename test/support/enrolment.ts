import type { TestApp } from './app.js';
import { bearer } from './app.js';

type App = Pick<TestApp, 'graphql' | 'url'>;

export interface IngestKey {
  id: string;
  key: string;
  name: string;
  hint: string;
  modelCode: string;
}

/** A model with an ingest key. */
export async function anIngestKey(
  app: App,
  {
    modelCode = 'thermostat',
    name = 'line 1',
    ...limits
  }: { modelCode?: string; name?: string; newDevicesPerHour?: number; requiresApproval?: boolean } = {},
): Promise<IngestKey> {
  await aModel(app, modelCode);
  const { createIngestKey } = await app.graphql<{
    createIngestKey: { ingestKey: { id: string; name: string; hint: string }; key: string };
  }>(
    'mutation ($input: CreateIngestKeyInput!) { createIngestKey(input: $input) { ingestKey { id name hint } key } }',
    { input: { modelCode, name, ...limits } },
  );
  return { ...createIngestKey.ingestKey, key: createIngestKey.key, modelCode };
}

export async function aModel(app: App, code = 'thermostat'): Promise<void> {
  const { deviceModel } = await app.graphql<{ deviceModel: object | null }>(
    'query ($code: String!) { deviceModel(code: $code) { id } }',
    { code },
  );
  if (deviceModel !== null) return;
  await app.graphql(
    'mutation ($c: String!) { createDeviceModel(input: { code: $c, name: $c }) { deviceModel { id } } }',
    {
      c: code,
    },
  );
}

/** POSTs a dump with an ingest key, as a device that knows nothing but its serial. */
export async function uploadBySerial(
  app: Pick<App, 'url'>,
  serial: string,
  {
    key,
    body = `dump of ${serial}`,
    query = {},
    headers = {},
  }: {
    key?: string | undefined;
    body?: Uint8Array | string;
    query?: Record<string, string>;
    headers?: Record<string, string>;
  },
): Promise<Response> {
  const search = new URLSearchParams({
    chip: 'esp32c3',
    firmware_version: '1.0.0',
    device_serial: serial,
    ...query,
  });
  return fetch(`${app.url}/api/iot/coredump?${search}`, {
    method: 'POST',
    headers: { ...bearer(key), ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
}

/** POSTs a boot report. */
export async function boot(
  app: Pick<App, 'url'>,
  parameters: Record<string, string>,
  { token, body }: { token?: string | undefined; body?: unknown } = {},
): Promise<Response> {
  return fetch(`${app.url}/api/iot/boot?${new URLSearchParams(parameters)}`, {
    method: 'POST',
    headers: { ...bearer(token), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

export interface EnrolledDevice {
  id: string;
  key: string;
  serial: string | null;
  approval: string;
  coredumpCount: number;
  crashCount: number;
  ingestKey: { id: string } | null;
}

export async function devicesOf(app: Pick<App, 'graphql'>, filter: object = {}): Promise<EnrolledDevice[]> {
  const { devices } = await app.graphql<{ devices: { nodes: EnrolledDevice[] } }>(
    `query ($filter: DeviceFilter) { devices(first: 200, filter: $filter, orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes { id key serial approval coredumpCount crashCount ingestKey { id } } } }`,
    { filter },
  );
  return devices.nodes;
}
