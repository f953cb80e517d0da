import type { Config } from '../config/settings.js';
import { coredumpKey } from '../coredumps/blob-keys.js';
import { elfKey } from '../firmware/blob-keys.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Db } from '../platform/database/types.js';

/** The two stores of an installation, named by the table whose rows have their bytes there. */
export type Holds = 'Coredump' | 'Firmware';

export interface NamedStore {
  readonly holds: Holds;
  readonly blobs: BlobStore;
  /** The content, for messages. */
  readonly contents: string;
  /** The place, for messages: `the folder ./data/coredumps`. */
  readonly place: string;
  /** The setting with the place. */
  readonly setting: string;
}

export const CONTENTS: Readonly<Record<Holds, string>> = { Coredump: 'core dumps', Firmware: 'firmware' };

export function namedStores(
  { s3, coredumpsDir, assetsDir }: Pick<Config, 's3' | 'coredumpsDir' | 'assetsDir'>,
  { dumps, firmwares }: { dumps: BlobStore; firmwares: BlobStore },
): NamedStore[] {
  const inBucket = (prefix: string) => ({
    place: `the bucket "${s3?.bucket}" (${prefix})`,
    setting: 'S3_BUCKET',
  });
  const inFolder = (folder: string, setting: string) => ({ place: `the folder ${folder}`, setting });
  return [
    {
      holds: 'Coredump',
      contents: CONTENTS.Coredump,
      blobs: dumps,
      ...(s3 === null ? inFolder(coredumpsDir, 'COREDUMPS_DIR') : inBucket('coredumps/')),
    },
    {
      holds: 'Firmware',
      contents: CONTENTS.Firmware,
      blobs: firmwares,
      ...(s3 === null ? inFolder(assetsDir, 'ASSETS_DIR') : inBucket('firmware/')),
    },
  ];
}

/** The database's URL for messages: without user and password. */
export function databasePlace(url: string): string {
  if (url.startsWith('file:')) return `the database ${url}`;
  const { protocol, host, pathname } = new URL(url);
  return `the database ${protocol}//${host}${pathname}`;
}

/** The keys of the newest rows whose bytes are in the storage. */
export async function newestKeys(db: Db, holds: Holds, take: number): Promise<string[]> {
  if (holds === 'Coredump') {
    const dumps = await db.coredump.findMany({
      where: { removedRaw: null },
      orderBy: { id: 'desc' },
      take,
      select: { filename: true, device: { select: { key: true } } },
    });
    return dumps.map(({ device, filename }) => coredumpKey(device.key, filename));
  }
  const builds = await db.firmware.findMany({
    orderBy: { id: 'desc' },
    take,
    select: { elfSha256: true, model: { select: { code: true } } },
  });
  return builds.map(({ model, elfSha256 }) => elfKey(model.code, elfSha256));
}

/** The highest id of a row; 0 without rows. */
export async function highestId(db: Db, holds: Holds): Promise<number> {
  const newest = { orderBy: { id: 'desc' }, select: { id: true } } as const;
  const row = await (holds === 'Coredump' ? db.coredump.findFirst(newest) : db.firmware.findFirst(newest));
  return row?.id ?? 0;
}
