import type { ListedDevice } from './read-device-list.js';

/** The limit of `createDevices`. */
const DEVICES_IN_A_BATCH = 200;

export interface RegisteredDevice {
  readonly serial: string | null;
  readonly key: string;
  /** Null unless tokens were asked for. */
  readonly token: string | null;
}

/** The requests to the server that a registration needs. */
export interface DeviceRegistry {
  /** Which of these devices the server has, by serial and by key. */
  findKnown(devices: readonly ListedDevice[]): Promise<Known>;
  /** All of them or none. */
  create(devices: readonly ListedDevice[]): Promise<readonly RegisteredDevice[]>;
}

export interface Known {
  /** Of this model. */
  readonly serials: ReadonlySet<string>;
  /** Of any model: keys are unique in the whole installation. */
  readonly keys: ReadonlyMap<string, { modelCode: string; serial: string | null }>;
}

/** What became of a batch. */
export interface BatchOutcome {
  readonly created: readonly RegisteredDevice[];
  /** Devices that were there already. */
  readonly skipped: number;
  readonly problems: ReadonlyArray<{ line: number; message: string }>;
}

/**
 * Registers devices in batches, in the order of the file. What the server already has is skipped, so a second run
 * finishes an interrupted one. The caller receives each batch before the next begins.
 */
export async function* registerDevices(
  devices: readonly ListedDevice[],
  { modelCode, isDryRun, registry }: { modelCode: string; isDryRun: boolean; registry: DeviceRegistry },
): AsyncGenerator<BatchOutcome> {
  for (let at = 0; at < devices.length; at += DEVICES_IN_A_BATCH) {
    const batch = devices.slice(at, at + DEVICES_IN_A_BATCH);
    const { fresh, skipped, problems } = sort(batch, modelCode, await registry.findKnown(batch));
    const created = isDryRun
      ? fresh.map(({ serial, key }) => ({ serial, key: key ?? '', token: null }))
      : fresh.length === 0
        ? []
        : await registry.create(fresh);
    yield { created, skipped, problems };
  }
}

function sort(batch: readonly ListedDevice[], modelCode: string, known: Known) {
  const fresh: ListedDevice[] = [];
  const problems: Array<{ line: number; message: string }> = [];
  let skipped = 0;
  for (const device of batch) {
    const { line, serial, key } = device;
    const owner = key === null ? undefined : known.keys.get(key);
    const isSame = owner?.modelCode === modelCode && (serial === null || owner.serial === serial);
    if ((serial !== null && known.serials.has(serial)) || isSame) skipped += 1;
    else if (owner === undefined) fresh.push(device);
    else problems.push({ line, message: `The key "${key}" belongs to ${ownerOf(owner)}.` });
  }
  return { fresh, skipped, problems };
}

function ownerOf({ modelCode, serial }: { modelCode: string; serial: string | null }): string {
  return serial === null
    ? `a device of model "${modelCode}" without a serial`
    : `the device "${serial}" of model "${modelCode}"`;
}
