import { createCoredumpLoaders } from '../../coredumps/loaders.js';
import { createCrashGroupLoaders } from '../../crash-groups/loaders.js';
import { createVersionLoaders } from '../../crash-groups/version-loaders.js';
import { createDeviceLoaders } from '../../devices/loaders.js';
import { createFirmwareLoaders } from '../../firmware/loaders.js';
import type { Db } from '../../platform/database/types.js';

export type Loaders = ReturnType<typeof createLoaders>;

/**
 * What fields ask for one by one, read in one statement however many ask. They remember what they have read, so they
 * live as long as one request or event.
 */
export function createLoaders(db: Db) {
  return {
    coredumps: createCoredumpLoaders(db),
    crashGroups: createCrashGroupLoaders(db),
    devices: createDeviceLoaders(db),
    firmwares: createFirmwareLoaders(db),
    versions: createVersionLoaders(db),
  };
}
