import DataLoader from '../platform/database/data-loader.js';
import type { Db } from '../platform/database/types.js';
import { isForOtherChip } from './find-build.js';
import type { Firmware } from './types.js';

/** What a device says that it runs. */
export interface RunningBuild {
  modelId: number;
  version: string;
  chip: string | null;
  /** Leading hexadecimal digits of the ELF's SHA-256; null: not told. */
  elfSha256: string | null;
}

/** Devices send nine digits or more; fewer name no build. */
const MIN_DIGITS = 8;

/** The stored builds that devices run: by the SHA-256, else the newest of the version. One statement for all of them. */
export function createRunningBuildLoader(db: Db) {
  return new DataLoader<RunningBuild, Firmware | null, string>(
    async (wanted) => {
      const byVersion = wanted.map(({ modelId, version }) => ({ modelId, version }));
      const bySha = wanted.flatMap(({ modelId, elfSha256 }) =>
        isNamed(elfSha256) ? [{ modelId, elfSha256: { startsWith: elfSha256 } }] : [],
      );
      const builds = await db.firmware.findMany({
        where: { OR: [...distinct(byVersion), ...distinct(bySha)] },
        orderBy: { id: 'desc' },
      });
      return wanted.map((build) => buildOf(builds, build));
    },
    { cacheKeyFn: (build) => JSON.stringify(build), maxBatchSize: 200 },
  );
}

function buildOf(
  builds: readonly Firmware[],
  { modelId, version, chip, elfSha256 }: RunningBuild,
): Firmware | null {
  const ofModel = builds.filter((build) => build.modelId === modelId);
  if (isNamed(elfSha256)) return ofModel.find((build) => build.elfSha256.startsWith(elfSha256)) ?? null;
  return ofModel.find((build) => build.version === version && !isForOtherChip(build, chip)) ?? null;
}

function isNamed(elfSha256: string | null): elfSha256 is string {
  return elfSha256 !== null && elfSha256.length >= MIN_DIGITS;
}

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
