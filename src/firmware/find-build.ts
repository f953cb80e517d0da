import type { Db, DbTransaction } from '../platform/database/types.js';
import type { Firmware } from './types.js';

/** Where builds are read: in a transaction, or outside of one. */
export type BuildRows = Pick<Db | DbTransaction, 'firmware'>;

export interface WantedBuild {
  /** Null: of any model. A version alone is then only enough where one model has it. */
  modelId: number | null;
  /** As reported by the device. */
  version: string;
  /** The chip that the dump itself names: "esp32c3"; null or absent when it names none. */
  chip?: string | null;
  /** The chip that the sender told of what does not name its own: decides among builds of a version, and no choice. */
  toldChip?: string | null;
  /** Leading hexadecimal digits of the ELF's SHA-256 in the dump, any number of them; null when the dump has none. */
  appElfSha256: string | null;
  /** The build that a person chose; null: none. */
  chosenFirmwareId: number | null;
}

export interface FoundBuild {
  firmware: Firmware | null;
  /**
   * All matching builds, the preferred first: several when the digits are few, or when a version has several builds. Without
   * a `firmware`: builds of several models that have the version.
   */
  candidates: Firmware[];
  matchedBy: 'choice' | 'sha' | 'version' | null;
  /** Builds that would have matched, but are for another chip than the dump names; absent when there are none. */
  ofOtherChips?: Firmware[];
}

/**
 * Finds the build that a dump ran. A person's choice among the builds of the model has priority, then the SHA-256 of the
 * ELF in the dump, then the version that the device reported; with none, the result is null. Among several matches the
 * given version is preferred, then builds that are known to be for the dump's chip, then the newest.
 *
 * A build for another chip is never used, neither by choice nor by version: its layout of memory has nothing to do with
 * the dump. The digits of a SHA-256 are more certain than the chip that was concluded from an ELF.
 */
export async function findBuild(
  db: BuildRows,
  { modelId, version, chip = null, toldChip = null, appElfSha256, chosenFirmwareId }: WantedBuild,
): Promise<FoundBuild> {
  const ofOtherChips: Firmware[] = [];
  const forChip = (builds: readonly Firmware[], of: string | null) => {
    ofOtherChips.push(...builds.filter((build) => isForOtherChip(build, of)));
    return builds.filter((build) => !isForOtherChip(build, of));
  };
  const anyChip = chip ?? toldChip;
  const found = (firmware: Firmware | null, rest: Omit<FoundBuild, 'firmware' | 'ofOtherChips'>) => ({
    firmware,
    ...rest,
    ...(ofOtherChips.length > 0 ? { ofOtherChips } : {}),
  });

  if (chosenFirmwareId !== null) {
    // Of the model that the device has now.
    const chosen = await db.firmware.findMany({ where: { id: chosenFirmwareId, ...ofModel(modelId) } });
    const [firmware] = forChip(chosen, chip);
    if (firmware !== undefined) return found(firmware, { candidates: [firmware], matchedBy: 'choice' });
  }
  const bySha = await buildsNamed(db, { modelId, chip: anyChip, appElfSha256 });
  const named = bySha.find((build) => build.version === version) ?? bySha[0];
  if (named !== undefined) return found(named, { candidates: bySha, matchedBy: 'sha' });
  const byVersion = forChip(await preferred(db, { ...ofModel(modelId), version }, anyChip), anyChip);
  const [firmware] = byVersion;
  const isOfOneModel = byVersion.every((build) => build.modelId === firmware?.modelId);
  if (firmware === undefined || !isOfOneModel) return found(null, { candidates: byVersion, matchedBy: null });
  return found(firmware, { candidates: byVersion, matchedBy: 'version' });
}

/** The builds whose SHA-256 begins as a dump says. */
export async function buildsNamed(
  db: BuildRows,
  { modelId, chip, appElfSha256 }: Pick<Required<WantedBuild>, 'modelId' | 'chip' | 'appElfSha256'>,
): Promise<Firmware[]> {
  if (appElfSha256 === null || !isSha256Prefix(appElfSha256)) return [];
  return preferred(db, { ...ofModel(modelId), elfSha256: { startsWith: appElfSha256 } }, chip);
}

function ofModel(modelId: number | null): { modelId?: number } {
  return modelId === null ? {} : { modelId };
}

/** A build whose chip is not known may be used. @param chip that of the dump; null when it names none */
export function isForOtherChip(build: Pick<Firmware, 'chip'>, chip: string | null): boolean {
  return build.chip !== null && chip !== null && build.chip !== chip;
}

/** Also prevents that LIKE interprets wildcards. Zeros stand for a hash that the build did not have. */
function isSha256Prefix(text: string): boolean {
  return /^[0-9a-f]{1,64}$/.test(text) && !/^0+$/.test(text);
}

/** Those of the chip first, then newest first. */
async function preferred(
  db: BuildRows,
  where: { modelId?: number; version?: string; elfSha256?: { startsWith: string } },
  chip: string | null,
): Promise<Firmware[]> {
  const newestFirst = await db.firmware.findMany({ where, orderBy: { id: 'desc' } });
  if (chip === null) return newestFirst;
  const isOfChip = (build: Firmware) => build.chip === chip;
  return [...newestFirst.filter(isOfChip), ...newestFirst.filter((build) => !isOfChip(build))];
}
