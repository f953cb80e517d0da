import type { AlertService, createAlertQueries } from '../../alerts/service.js';
import type { Audit, createAuditQueries } from '../../audit/service.js';
import type { DownloadLinks } from '../../auth/download-links.js';
import type { Person } from '../../auth/principal.js';
import type { CoredumpQueries } from '../../coredumps/read.js';
import type { CoredumpService } from '../../coredumps/service.js';
import type { CrashGroupQueries } from '../../crash-groups/queries.js';
import type { CrashGroupService } from '../../crash-groups/service.js';
import type { DeviceQueries } from '../../devices/loaders.js';
import type { PrivacyService } from '../../devices/privacy.js';
import type { DeviceService } from '../../devices/service.js';
import type { FirmwareService } from '../../firmware/service.js';
import { encodeGlobalId } from '../../global-ids.js';
import type { Search } from '../../search/service.js';
import type { Answer } from '../limits/answer-budget.js';
import type { Loaders } from './loaders.js';

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

/** What queries use of them: they read, and need nothing but the database. */
export interface QueryServices {
  alerts: ReturnType<typeof createAlertQueries>;
  audit: ReturnType<typeof createAuditQueries>;
  coredumps: CoredumpQueries;
  crashGroups: CrashGroupQueries & Pick<CrashGroupService, 'regrouping'>;
  devices: DeviceQueries;
  search: Search;
}

/** What resolvers get. Whatever they read comes from a service or a loader: the database itself is out of reach. */
export interface Context {
  readonly services: Services;
  readonly loaders: Loaders;
  readonly requestId: string;
  /** Who asks. Only people with a role get here. */
  readonly person: Person;
  /** The budget of the answer, and what it holds of that. */
  readonly answer: Answer;
  /** Path of the raw bytes of a dump, for the person who asks. */
  downloadUrlOf(coredumpId: number): string;
}

/** Paths of downloads. @param links null without authentication, where paths need no signature */
export function downloadUrls(links: Pick<DownloadLinks, 'issue'> | null) {
  return (coredumpId: number, person: Person): string => {
    const path = `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', coredumpId))}/download`;
    return links === null ? path : `${path}?link=${links.issue(coredumpId, person)}`;
  };
}
