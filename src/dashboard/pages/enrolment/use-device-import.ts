import { useCallback, useRef, useState } from 'react';
import { type Client, useClient } from 'urql';
import { decodeText } from '../../../device-list/decode-text';
import { type DeviceList, type ListedDevice, readDeviceList } from '../../../device-list/read-device-list';
import {
  type BatchOutcome,
  type DeviceRegistry,
  type RegisteredDevice,
  registerDevices,
} from '../../../device-list/register-devices';
import { useLive } from '../../api/live';
import { messageOf } from '../../api/messages';
import { graphql } from '../../generated';

const KnownDevices = graphql(`
  query KnownDevices($modelCode: String!, $serials: [String!], $keys: [String!], $first: Int) {
    bySerial: devices(first: $first, filter: { modelCode: [$modelCode], serial: $serials }) { nodes { id serial } }
    byKey: devices(first: $first, filter: { key: $keys }) { nodes { id key serial model { id code } } }
  }
`);
const CreateDevices = graphql(`
  mutation CreateDevices($input: CreateDevicesInput!) {
    createDevices(input: $input) { devices { token device { id key serial } } }
  }
`);

/** A file that was chosen, read and checked. */
export interface ReadFile {
  name: string;
  list: DeviceList;
}

export async function readFile(file: File | undefined): Promise<ReadFile | null> {
  if (file === undefined) return null;
  return { name: file.name, list: readDeviceList(decodeText(new Uint8Array(await file.arrayBuffer()))) };
}

interface Progress {
  total: number;
  created: readonly RegisteredDevice[];
  skipped: number;
  problems: BatchOutcome['problems'];
}

export type ImportState =
  | { kind: 'idle' }
  | ({ kind: 'running' | 'done' } & Progress)
  | ({ kind: 'failed'; message: string } & Progress);

/** Registers the devices of a file batch by batch, and says how far it is. */
export function useDeviceImport() {
  const client = useClient();
  const { readAgain } = useLive();
  const [state, setState] = useState<ImportState>({ kind: 'idle' });
  const isStopped = useRef(false);

  async function start(
    devices: readonly ListedDevice[],
    { modelCode, withTokens }: { modelCode: string; withTokens: boolean },
  ) {
    isStopped.current = false;
    let progress: Progress = { total: devices.length, created: [], skipped: 0, problems: [] };
    setState({ kind: 'running', ...progress });
    try {
      const registry = registryOf(client, modelCode, withTokens);
      for await (const batch of registerDevices(devices, { modelCode, isDryRun: false, registry })) {
        progress = {
          ...progress,
          created: [...progress.created, ...batch.created],
          skipped: progress.skipped + batch.skipped,
          problems: [...progress.problems, ...batch.problems],
        };
        setState({ kind: 'running', ...progress });
        if (isStopped.current) return;
      }
      setState({ kind: 'done', ...progress });
    } catch (error) {
      setState({
        kind: 'failed',
        message: error instanceof Error ? error.message : String(error),
        ...progress,
      });
    } finally {
      readAgain();
    }
  }
  /** Ends it after the batch that is on its way. */
  const stop = useCallback(() => {
    isStopped.current = true;
  }, []);
  return {
    state,
    stop,
    start: (...args: Parameters<typeof start>) => void start(...args),
  };
}

function registryOf(client: Client, modelCode: string, withTokens: boolean): DeviceRegistry {
  return {
    async findKnown(devices) {
      const serials = devices.flatMap(({ serial }) => serial ?? []);
      const keys = devices.flatMap(({ key }) => key ?? []);
      const { data, error } = await client
        .query(
          KnownDevices,
          { modelCode, serials, keys, first: devices.length },
          { requestPolicy: 'network-only' },
        )
        .toPromise();
      if (error !== undefined) throw new Error(messageOf(error));
      return {
        serials: new Set(data?.bySerial?.nodes.flatMap(({ serial }) => serial ?? []) ?? []),
        keys: new Map(
          (data?.byKey?.nodes ?? []).map(({ key, serial, model }) => [
            key,
            { serial: serial ?? null, modelCode: model.code },
          ]),
        ),
      };
    },

    async create(devices) {
      const { data, error } = await client
        .mutation(CreateDevices, {
          input: {
            modelCode,
            withTokens,
            devices: devices.map(({ serial, key, name }) => ({ serial, key, name })),
          },
        })
        .toPromise();
      if (error !== undefined) throw new Error(`${lineOf(error, devices)}${messageOf(error)}`);
      return (data?.createDevices?.devices ?? []).map(({ token, device: { key, serial } }) => ({
        key,
        serial: serial ?? null,
        token: token ?? null,
      }));
    },
  };
}

/** The server names the device that it refused by its place in the batch. */
function lineOf(
  { graphQLErrors }: { graphQLErrors: ReadonlyArray<{ extensions: Record<string, unknown> }> },
  devices: readonly ListedDevice[],
): string {
  const field = graphQLErrors[0]?.extensions.field;
  const index = typeof field === 'string' ? /(?:^|\.)devices\.(\d+)\./.exec(field)?.[1] : undefined;
  const device = index === undefined ? undefined : devices[Number(index)];
  return device === undefined ? '' : `Line ${device.line}: `;
}
