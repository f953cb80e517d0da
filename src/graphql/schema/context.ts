import type { AlertService, createAlertQueries } from '../../alerts/service.js';
import type { Audit, createAuditQueries } from '../../audit/service.js';
import type { DownloadLinks } from '../../auth/download-links.js';
import type { Person } from '../../auth/principal.js';
import { type CoredumpLoaders, createCoredumpLoaders } from '../../coredumps/loaders.js';
import type { CoredumpService } from '../../coredumps/service.js';
import { createTallyFilters, type TallyFilter } from '../../crash-groups/crash-series.js';
import { type CrashGroupLoaders, createCrashGroupLoaders } from '../../crash-groups/loaders.js';
import { createVersionLoaders } from '../../crash-groups/missing-firmware.js';
import type { CrashGroupService } from '../../crash-groups/service.js';
import { createDeviceLoaders, createDeviceQueries } from '../../devices/loaders.js';
import type { PrivacyService } from '../../devices/privacy.js';
import type { DeviceService } from '../../devices/service.js';
import { createFirmwareLoaders } from '../../firmware/loaders.js';
import type { FirmwareService } from '../../firmware/service.js';
import { encodeGlobalId } from '../../global-ids.js';
import type { Db } from '../../platform/database/types.js';
import type { Search } from '../../search/service.js';
import type { Answer } from '../limits/answer-budget.js';

export interface Services {
  alerts: AlertService;
  coredumps: CoredumpService;
  crashGroups: CrashGroupService;
  devices: DeviceService;
  firmwares: FirmwareService;
  audit: Audit;
  privacy: PrivacyService;
  search: Search;
}

/** What queries use of them: it reads, and has all that it needs from the database. */
export interface QueryServices {
  alerts: ReturnType<typeof createAlertQueries>;
  audit: ReturnType<typeof createAuditQueries>;
  crashGroups: Pick<CrashGroupService, 'now' | 'regrouping'>;
  search: Search;
}

/** What resolvers get. Loaders live as long as one request or event, so what they remember is never stale. */
export interface Context {
  readonly db: Db;
  readonly services: Services;
  readonly loaders: Loaders;
  readonly devices: ReturnType<typeof createDeviceQueries>;
  readonly requestId: string;
  /** Who is asking: whoever got as far as here has a role. */
  readonly person: Person;
  /** What the answer may hold, and does. */
  readonly answer: Answer;
  /** Path from which the raw bytes of a dump can be had, by who asks for it now. */
  downloadUrlOf(coredumpId: number): string;
}

export interface Loaders {
  coredumps: CoredumpLoaders;
  crashGroups: CrashGroupLoaders;
  devices: ReturnType<typeof createDeviceLoaders>;
  firmwares: ReturnType<typeof createFirmwareLoaders>;
  versions: ReturnType<typeof createVersionLoaders>;
  /** A filter of time series with its models' ids. */
  tallyFilter(filter: { modelCode?: string[]; firmwareVersion?: string[] }): Promise<TallyFilter>;
}

export function createContext({
  db,
  ...given
}: Pick<
  Context,
  'db' | 'services' | 'loaders' | 'requestId' | 'person' | 'answer' | 'downloadUrlOf'
>): Context {
  return { db, ...given, devices: createDeviceQueries(db) };
}

/** Paths of downloads. @param links null where nobody needs one */
export function downloadUrls(links: Pick<DownloadLinks, 'issue'> | null) {
  return (coredumpId: number, person: Person): string => {
    const path = `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', coredumpId))}/download`;
    return links === null ? path : `${path}?link=${links.issue(coredumpId, person)}`;
  };
}

export function createLoaders(db: Db): Loaders {
  return {
    coredumps: createCoredumpLoaders(db),
    crashGroups: createCrashGroupLoaders(db),
    devices: createDeviceLoaders(db),
    firmwares: createFirmwareLoaders(db),
    versions: createVersionLoaders(db),
    tallyFilter: createTallyFilters(db),
  };
}
