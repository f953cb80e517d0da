import type { AlertService, createAlertQueries } from '../../alerts/service.js';
import type { Audit, createAuditQueries } from '../../audit/service.js';
import type { DownloadLinks } from '../../auth/download-links.js';
import type { Person } from '../../auth/principal.js';
import type { CoredumpQueries } from '../../coredumps/queries.js';
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
  /** Who is asking: whoever got as far as here has a role. */
  readonly person: Person;
  /** What the answer may hold, and does. */
  readonly answer: Answer;
  /** Path from which the raw bytes of a dump can be had, by who asks for it now. */
  downloadUrlOf(coredumpId: number): string;
}

/** Paths of downloads. @param links null where nobody needs one */
export function downloadUrls(links: Pick<DownloadLinks, 'issue'> | null) {
  return (coredumpId: number, person: Person): string => {
    const path = `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', coredumpId))}/download`;
    return links === null ? path : `${path}?link=${links.issue(coredumpId, person)}`;
  };
}
