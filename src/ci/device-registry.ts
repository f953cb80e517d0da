import * as z from 'zod';
import type { ListedDevice } from '../device-list/read-device-list.js';
import type { DeviceRegistry, RegisteredDevice } from '../device-list/register-devices.js';
import { parseJson } from '../platform/json.js';
import {
  answeredTemporarily,
  connectionFailure,
  isTemporary,
  isTemporaryCode,
  TemporaryFailure,
  withRetries,
} from './temporary-failure.js';

interface RegistryOptions {
  endpoint: URL;
  modelCode: string;
  token: string | undefined;
  withTokens: boolean;
  retries: number;
  retryDelayMs: number;
  say: (line: string) => void;
}

/** The server refused a batch because of one of its devices; none of the batch was registered. */
export class RefusedBatch extends Error {
  override readonly name = 'RefusedBatch';

  constructor(readonly problem: { line: number; message: string }) {
    super('the server refused a line; none of its batch was registered');
  }
}

const KNOWN = `query ($modelCode: String!, $serials: [String!], $keys: [String!], $first: Int) {
  bySerial: devices(first: $first, filter: { modelCode: [$modelCode], serial: $serials }) { nodes { key serial } }
  byKey: devices(first: $first, filter: { key: $keys }) { nodes { key serial model { code } } }
}`;
const known = z.object({
  bySerial: z.object({ nodes: z.array(z.object({ key: z.string(), serial: z.string().nullable() })) }),
  byKey: z.object({
    nodes: z.array(
      z.object({ key: z.string(), serial: z.string().nullable(), model: z.object({ code: z.string() }) }),
    ),
  }),
});

const CREATE = `mutation ($input: CreateDevicesInput!) {
  createDevices(input: $input) { devices { token device { key serial } } }
}`;
const created = z.object({
  createDevices: z.object({
    devices: z.array(
      z.object({
        token: z.string().nullable(),
        device: z.object({ key: z.string(), serial: z.string().nullable() }),
      }),
    ),
  }),
});

const MODEL = 'query ($code: String!) { deviceModel(code: $code) { id } }';
const model = z.object({ deviceModel: z.object({ id: z.string() }).nullable() });

const answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.string().optional(), field: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

/** The registry of a running server, by its API. A request that met a temporary failure is tried again. */
export function createDeviceRegistry({
  endpoint,
  modelCode,
  token,
  withTokens,
  retries,
  retryDelayMs,
  say,
}: RegistryOptions): DeviceRegistry & { requireModel(): Promise<void> } {
  const again = { retries, retryDelayMs, say };
  return {
    /** @throws Error when the model does not exist */
    async requireModel() {
      const { deviceModel } = await withRetries(
        async () => read(await post(MODEL, { code: modelCode }), model),
        again,
      );
      if (deviceModel === null)
        throw new Error(`the server has no device model "${modelCode}": create it first, or correct --model`);
    },

    async findKnown(devices) {
      const { bySerial, byKey } = await withRetries(() => findThese(devices), again);
      return {
        serials: new Set(bySerial.nodes.flatMap(({ serial }) => serial ?? [])),
        keys: new Map(
          byKey.nodes.map(({ key, serial, model: { code } }) => [key, { serial, modelCode: code }]),
        ),
      };
    },

    create(devices) {
      return withRetries(async (attempt) => {
        // An attempt that failed may have registered them: all or none, but its answer did not arrive.
        const lost = attempt === 1 ? [] : await registeredOf(devices);
        const missing = devices.filter(
          ({ serial, key }) => !lost.some((own) => isSame(own, { serial, key })),
        );
        if (lost.length > 0 && withTokens) {
          say(
            `${lost.length} devices were registered, but the answer with their tokens was lost: rotate their tokens`,
          );
        }
        return missing.length === 0 ? lost : [...lost, ...(await createOnce(missing))];
      }, again);
    },
  };

  async function createOnce(devices: readonly ListedDevice[]): Promise<RegisteredDevice[]> {
    const input = {
      modelCode,
      withTokens,
      devices: devices.map(({ serial, key, name }) => ({ serial, key, name })),
    };
    const { createDevices } = read(await post(CREATE, { input }), created, devices);
    return createDevices.devices.map(({ token: own, device }) => ({ ...device, token: own }));
  }

  async function registeredOf(devices: readonly ListedDevice[]): Promise<RegisteredDevice[]> {
    const { bySerial, byKey } = await findThese(devices);
    const own = byKey.nodes.filter(({ model: { code } }) => code === modelCode);
    return devices.flatMap((device) => {
      const row = [...bySerial.nodes, ...own].find((other) => isSame(other, device));
      return row === undefined ? [] : [{ key: row.key, serial: row.serial, token: null }];
    });
  }

  async function findThese(devices: readonly ListedDevice[]) {
    const serials = devices.flatMap(({ serial }) => serial ?? []);
    const keys = devices.flatMap(({ key }) => key ?? []);
    const variables = { modelCode, serials, keys, first: devices.length };
    return read(await post(KNOWN, variables), known);
  }

  async function post(query: string, variables: object): Promise<{ status: number; body: string }> {
    const received = await send(query, variables);
    if (received.status === 401 && token === undefined)
      throw new Error('the server wants the token of an admin: give it by --token or COREDOCK_TOKEN');
    return received;
  }

  async function send(query: string, variables: object): Promise<{ status: number; body: string }> {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(SILENCE_MS),
      });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      throw connectionFailure(endpoint, error);
    }
  }
}

const SILENCE_MS = 60_000;

/**
 * @throws TemporaryFailure
 * @throws RefusedBatch when the error names a device of the batch
 */
function read<Data>(
  { status, body }: { status: number; body: string },
  schema: z.ZodType<Data>,
  batch: readonly ListedDevice[] = [],
): Data {
  const json = parseJson(body);
  if (isTemporary(status)) throw answeredTemporarily(status, json);
  const parsed = answer.safeParse(json);
  if (!parsed.success) throw noCoredock(status);
  const [error] = parsed.data.errors ?? [];
  if (error !== undefined && isTemporaryCode(error.extensions?.code))
    throw new TemporaryFailure(error.message);
  if (error !== undefined) {
    const index = /(?:^|\.)devices\.(\d+)\./.exec(error.extensions?.field ?? '')?.[1];
    const device = index === undefined ? undefined : batch[Number(index)];
    if (device === undefined) throw new Error(error.message);
    throw new RefusedBatch({ line: device.line, message: error.message });
  }
  const data = schema.safeParse(parsed.data.data);
  if (!data.success) throw noCoredock(status);
  return data.data;
}

function isSame(device: Named, other: Named): boolean {
  return other.serial === null ? device.key === other.key : device.serial === other.serial;
}

type Named = Pick<ListedDevice, 'serial'> & { key: string | null };

function noCoredock(status: number): Error {
  return new Error(
    `the server answered ${status}, but not as a Coredock server of this version: check --url`,
  );
}
