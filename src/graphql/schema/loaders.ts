import { createAlertLoaders } from '../../alerts/read.js';
import { createCoredumpLoaders } from '../../coredumps/loaders.js';
import { createCrashGroupLoaders } from '../../crash-groups/loaders.js';
import { createTagLoaders } from '../../crash-groups/tag-loaders.js';
import { createVersionLoaders } from '../../crash-groups/version-loaders.js';
import { createDeviceLoaders } from '../../devices/loaders.js';
import { createFirmwareLoaders } from '../../firmware/loaders.js';
import type { Db } from '../../platform/database/types.js';
import { createReleaseLoaders } from '../../releases/read.js';
import { createSavedViewLoaders } from '../../saved-views/service.js';

export type Loaders = ReturnType<typeof createLoaders>;

/**
 * Batches what fields read one by one: one statement for all fields that request the same thing. Loaders cache their
 * results, so they are created for each request or event.
 */
export function createLoaders(db: Db) {
  return {
    alerts: createAlertLoaders(db),
    coredumps: createCoredumpLoaders(db),
    crashGroups: createCrashGroupLoaders(db),
    devices: createDeviceLoaders(db),
    firmwares: createFirmwareLoaders(db),
    releases: createReleaseLoaders(db),
    tags: createTagLoaders(db),
    savedViews: createSavedViewLoaders(db),
    versions: createVersionLoaders(db),
  };
}
