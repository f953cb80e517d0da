import { orderOfVersions } from '../crash-groups/versions.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { DAY_MS } from '../platform/durations.js';

/** A version of a model that anything is known of: a build, a device that ran it, a crash. */
export interface ReleaseRow {
  modelId: number;
  version: string;
  /** The version that it is compared with; null: there is none before it. */
  comparedTo: string | null;
  /** The versions before it. */
  earlier: readonly string[];
  /** When its first build came, or a device was first heard of with it; null: long ago. */
  firstSeenAt: Date | null;
  /** The beginning of the last day on which a device was heard of with it; null: of none in the days that are kept. */
  lastHeardAt: Date | null;
}

/** The versions of models, the newest first. Three statements, for any number of models. */
export async function releasesOfModels(
  db: Db,
  modelIds: readonly number[],
): Promise<Map<number, ReleaseRow[]>> {
  const ids = Prisma.join([...modelIds]);
  const [builds, heard, crashed] = await Promise.all([
    db.firmware.findMany({
      where: { modelId: { in: [...modelIds] } },
      select: { modelId: true, version: true, uploadedAt: true },
    }),
    // Answered by an index alone.
    db.$queryRaw<Array<{ modelId: number; version: string; first: number; last: number }>>`
      SELECT x."modelId", x."firmwareVersion" AS "version", min(x."slot") AS "first", max(x."slot") AS "last"
      FROM "DeviceDay" x WHERE x."modelId" IN (${ids}) GROUP BY x."modelId", x."firmwareVersion"`,
    db.$queryRaw<Array<{ modelId: number; version: string }>>`
      SELECT DISTINCT v."modelId", v."firmwareVersion" AS "version" FROM "VersionDevice" v
      WHERE v."modelId" IN (${ids})`,
  ]);
  const byModel = new Map(modelIds.map((id) => [id, new Map<string, Seen>()]));
  const see = (modelId: number, version: string, first: Date | null, last: Date | null) => {
    const seen = byModel.get(modelId);
    const known = seen?.get(version);
    seen?.set(version, {
      version,
      firstSeenAt: earliest(known?.firstSeenAt ?? null, first),
      lastHeardAt: last ?? known?.lastHeardAt ?? null,
    });
  };
  for (const { modelId, version } of crashed) see(modelId, version, null, null);
  for (const { modelId, version, uploadedAt } of builds) see(modelId, version, uploadedAt, null);
  for (const { modelId, version, first, last } of heard) see(modelId, version, startOf(first), startOf(last));
  return new Map(
    [...byModel].map(([modelId, seen]) => [
      modelId,
      newestFirst([...seen.values()]).map((each, at, all) => {
        const earlier = all.slice(at + 1).map(({ version }) => version);
        return { modelId, ...each, comparedTo: earlier[0] ?? null, earlier };
      }),
    ]),
  );
}

interface Seen {
  version: string;
  firstSeenAt: Date | null;
  lastHeardAt: Date | null;
}

/**
 * By Semantic Versioning; what is no version (a date, the name of a branch) has its place by the time when it was first
 * seen, among those that are versions.
 */
function newestFirst(versions: readonly Seen[]): Seen[] {
  const isVersion = ({ version }: Seen) => orderOfVersions(version, version) !== null;
  const ordered = versions
    .filter(isVersion)
    .sort((a, b) => (orderOfVersions(b.version, a.version) ?? 0) || (a.version < b.version ? 1 : -1));
  const others = versions.filter((each) => !isVersion(each)).sort((a, b) => timeOf(b) - timeOf(a));
  for (const other of others) {
    const older = ordered.findIndex((each) => timeOf(each) <= timeOf(other));
    ordered.splice(older === -1 ? ordered.length : older, 0, other);
  }
  return ordered;
}

function timeOf({ firstSeenAt }: Seen): number {
  return firstSeenAt?.getTime() ?? 0;
}

function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function startOf(slot: number | bigint): Date {
  return new Date(Number(slot) * DAY_MS);
}
