import { badInput } from '../errors.js';
import type { Firmware } from '../firmware/types.js';
import type { Clock } from '../platform/clock.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { type AdoptionDay, adoptionOf, adoptionOfModel, type ModelAdoptionDay } from './adoption.js';
import { groupsOfRelease, type ReleaseGroupRow } from './groups.js';
import {
  healthOf,
  NO_HEALTH,
  nameOf,
  type ReleaseHealth,
  runningDevices,
  type VersionKey,
  waitingDumps,
} from './health.js';
import { type BootSummary, type ResetDay, resetDaysOf, summarizeBoots } from './resets.js';
import { type ReleaseRow, releasesOfModels } from './versions.js';

/** A version of a model against another one: what changed, and whether it does better. */

export type ReleaseQueries = ReturnType<typeof createReleaseQueries>;

export function createReleaseQueries(db: Db, clock: Pick<Clock, 'now'>) {
  return {
    /** What became of the groups, those with the most crashes first. */
    groups: (
      release: ReleaseRow,
      health: { own: ReleaseHealth; compared: ReleaseHealth },
    ): Promise<ReleaseGroupRow[]> => groupsOfRelease(db, release, health, clock.now()),
    /** @throws DomainError BAD_USER_INPUT */
    adoption: (release: ReleaseRow, days: number): Promise<AdoptionDay[]> =>
      adoptionOf(db, release, { days, now: clock.now() }),
    /** @throws DomainError BAD_USER_INPUT */
    adoptionOfModel: (modelId: number, days: number): Promise<ModelAdoptionDay[]> =>
      adoptionOfModel(db, modelId, { days, now: clock.now() }),
    /** @throws DomainError BAD_USER_INPUT */
    resetDays: (release: ReleaseRow, days: number): Promise<ResetDay[]> =>
      resetDaysOf(db, release, { days, now: clock.now() }),
    /** @param modelIds undefined: the whole fleet. @throws DomainError BAD_USER_INPUT */
    bootSummary: (days: number, modelIds: readonly number[] | undefined): Promise<BootSummary> =>
      summarizeBoots(db, { days, now: clock.now(), modelIds }),
  };
}

/**
 * The release with another version to compare it with.
 * @throws DomainError BAD_USER_INPUT for a version that the model does not have
 */
export function compareWith(
  releases: readonly ReleaseRow[],
  release: ReleaseRow,
  comparedTo: string,
): ReleaseRow {
  if (comparedTo === release.version)
    throw badInput('A version is compared with another one.', { field: 'comparedTo' });
  if (!releases.some(({ version }) => version === comparedTo))
    throw badInput(`Nothing is known of the version "${comparedTo.slice(0, 64)}" of this model.`, {
      field: 'comparedTo',
    });
  return { ...release, comparedTo };
}

export type ReleaseLoaders = ReturnType<typeof createReleaseLoaders>;

/** For one request: one statement for each field, for any number of versions. */
export function createReleaseLoaders(db: Db) {
  const byKey = <Value>(
    read: (keys: readonly VersionKey[]) => Promise<Map<string, Value>>,
    otherwise: Value,
  ) =>
    new DataLoader<VersionKey, Value, string>(
      async (keys) => {
        const known = await read(keys);
        return keys.map((key) => known.get(nameOf(key)) ?? otherwise);
      },
      { cacheKeyFn: nameOf },
    );
  return {
    /** All versions of a model, the newest first. */
    ofModel: new DataLoader<number, ReleaseRow[]>(async (ids) => {
      const known = await releasesOfModels(db, ids);
      return ids.map((id) => known.get(id) ?? []);
    }),
    health: byKey<ReleaseHealth>((keys) => healthOf(db, keys), NO_HEALTH),
    running: byKey<number>((keys) => runningDevices(db, keys), 0),
    /** Devices that run a version, and were not heard of since then. */
    silent: new DataLoader<VersionKey & { since: Date }, number, string>(
      async (keys) => {
        const counts = new Map<number, Promise<Map<string, number>>>();
        for (const { since } of keys) {
          const same = keys.filter((key) => key.since.getTime() === since.getTime());
          if (!counts.has(since.getTime())) counts.set(since.getTime(), runningDevices(db, same, since));
        }
        return Promise.all(
          keys.map(async (key) => (await counts.get(key.since.getTime()))?.get(nameOf(key)) ?? 0),
        );
      },
      { cacheKeyFn: (key) => `${key.since.getTime()} ${nameOf(key)}` },
    ),
    waiting: byKey<number>((keys) => waitingDumps(db, keys), 0),
    /** The stored builds of a version, the newest first. */
    builds: byKey<Firmware[]>((keys) => buildsOf(db, keys), []),
  };
}

async function buildsOf(db: Db, keys: readonly VersionKey[]): Promise<Map<string, Firmware[]>> {
  const rows = await db.firmware.findMany({
    where: { OR: keys.map(({ modelId, version }) => ({ modelId, version })) },
    orderBy: { id: 'desc' },
  });
  const builds = new Map<string, Firmware[]>();
  for (const row of rows) builds.set(nameOf(row), [...(builds.get(nameOf(row)) ?? []), row]);
  return builds;
}
