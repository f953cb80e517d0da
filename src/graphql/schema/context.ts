import type { AlertQueries } from '../../alerts/read.js';
import type { AlertService } from '../../alerts/service.js';
import type { Audit, createAuditQueries } from '../../audit/service.js';
import type { DownloadLinks } from '../../auth/download-links.js';
import type { Person } from '../../auth/principal.js';
import type { ChangeService } from '../../changes/service.js';
import type { Decode } from '../../coredumps/decode.js';
import type { HandIn } from '../../coredumps/hand-in.js';
import type { CoredumpQueries } from '../../coredumps/read.js';
import type { CoredumpService } from '../../coredumps/service.js';
import type { ShareLinkService } from '../../coredumps/share-links.js';
import type { CrashGroupQueries } from '../../crash-groups/queries.js';
import type { CrashGroupService } from '../../crash-groups/service.js';
import type { TagQueries } from '../../crash-groups/tag-loaders.js';
import type { TagService } from '../../crash-groups/tag-service.js';
import type { IngestKeyQueries, IngestKeyService } from '../../devices/ingest-keys.js';
import type { LinkService } from '../../devices/link-settings.js';
import type { OwnCodeService } from '../../devices/own-code.js';
import type { PrivacyService } from '../../devices/privacy.js';
import type { DeviceQueries } from '../../devices/read.js';
import type { DeviceService } from '../../devices/service.js';
import type { FirmwareQueries } from '../../firmware/read.js';
import type { FirmwareService } from '../../firmware/service.js';
import { encodeGlobalId } from '../../global-ids.js';
import type { ReleaseQueries } from '../../releases/read.js';
import type { SavedViewQueries, SavedViewService } from '../../saved-views/service.js';
import type { Search } from '../../search/service.js';
import type { Answer } from '../limits/answer-budget.js';
import type { Loaders } from './loaders.js';

export interface Services {
  alerts: AlertService;
  changes: ChangeService;
  coredumps: CoredumpService;
  crashGroups: CrashGroupService;
  decode: Decode;
  devices: DeviceService;
  firmwares: FirmwareService;
  handIn: HandIn;
  ingestKeys: IngestKeyService;
  audit: Audit;
  modelLinks: LinkService;
  ownCode: OwnCodeService;
  privacy: PrivacyService;
  releases: ReleaseQueries;
  savedViews: SavedViewService;
  search: Search;
  tags: TagService & TagQueries;
  shareLinks: ShareLinkService;
}

/** The services that queries use. They only read, and depend only on the database. */
export interface QueryServices {
  alerts: AlertQueries;
  audit: ReturnType<typeof createAuditQueries>;
  coredumps: CoredumpQueries;
  crashGroups: CrashGroupQueries & Pick<CrashGroupService, 'regrouping'>;
  devices: DeviceQueries;
  firmwares: FirmwareQueries;
  ingestKeys: IngestKeyQueries;
  releases: ReleaseQueries;
  savedViews: SavedViewQueries;
  search: Search;
  tags: TagQueries;
}

/** The context of resolvers. They read through services and loaders only: the database itself is not in the context. */
export interface Context {
  readonly services: Services;
  readonly loaders: Loaders;
  readonly requestId: string;
  /** The authenticated person. Requests without a role do not reach resolvers. */
  readonly person: Person;
  /** The budget of the answer, and the bytes that it holds. */
  readonly answer: Answer;
  /** Address of the raw bytes of a dump, signed for the person who sent the request. */
  downloadUrlOf(coredumpId: number): string;
  /** The header `Last-Event-ID` of the request: the last event that the client has received. */
  readonly lastEventId?: string | null;
}

/**
 * Addresses of downloads.
 *
 * @param links null without authentication, where addresses need no signature
 * @param publicUrl their beginning; null: they are paths
 */
export function downloadUrls(links: Pick<DownloadLinks, 'issue'> | null, publicUrl: string | null) {
  const base = publicUrl ?? '';
  return (coredumpId: number, person: Person): string => {
    const path = `${base}/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', coredumpId))}/download`;
    return links === null ? path : `${path}?link=${links.issue(coredumpId, person)}`;
  };
}
