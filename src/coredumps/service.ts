import type { Audit } from '../audit/service.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import type { CoredumpEvents } from './events.js';
import { createIngest } from './ingest.js';
import { createLifecycle } from './lifecycle.js';
import type { LostDumps } from './lost-dumps.js';
import type { MarkdownLinks } from './markdown.js';
import type { Outbox } from './outbox.js';
import type { ParseTask } from './parse-task.js';
import { createRawFiles } from './raw-files.js';
import { createCoredumpQueries } from './read.js';
import type { Requeue } from './requeue.js';
import type { CountRetired, CountUnread } from './unread.js';

/**
 * Everything that REST and GraphQL need for dumps: combines `ingest.ts`, `read.ts`, `raw-files.ts` and `lifecycle.ts`.
 */
export type CoredumpService = ReturnType<typeof createCoredumpService>;

interface CoredumpServiceDeps {
  db: Db;
  blobs: BlobStore;
  requeue: Requeue;
  lost: Pick<LostDumps, 'note' | 'isThere'>;
  outbox: Outbox;
  events: CoredumpEvents;
  /** Null when no sidecar is configured: dumps are stored and stay PENDING. */
  queue: { add(task: ParseTask): void } | null;
  clock: Clock;
  audit: Pick<Audit, 'change' | 'note' | 'removal' | 'noteReading'>;
  log: Logger;
  /** What the links in a crash's Markdown begin with. */
  links: MarkdownLinks;
  limits: { maxCoredumps: number; maxCoredumpBytes: number };
  /** Counts crashes whose dumps are deleted before they were parsed. */
  unread: { countUnread: CountUnread; countRetired: CountRetired };
  /** Called after the commit of each dump. */
  onStored?: () => void;
}

export function createCoredumpService(deps: CoredumpServiceDeps) {
  const { db, events, unread, onStored = () => {} } = deps;
  const files = createRawFiles(deps);
  return {
    events,
    ...createCoredumpQueries(db, deps.links),
    ...createIngest({ ...deps, files, countRetired: unread.countRetired, onStored }),
    ...createLifecycle({ ...deps, files, countUnread: unread.countUnread }),
    open: files.open,
    noteDownload: files.noteDownload,
  };
}
