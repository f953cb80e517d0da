import type { Db } from '../platform/database/types.js';
import type { Firmware } from './types.js';

export interface WantedBuild {
  modelId: number;
  /** As reported by the device. */
  version: string;
  /** Leading hexadecimal digits of the ELF's SHA-256 in the dump, any number of them; null when the dump has none. */
  appElfSha256: string | null;
  /** The build that a person chose; null: none. */
  chosenFirmwareId: number | null;
}

export interface FoundBuild {
  firmware: Firmware | null;
  /** All matching builds, newest first: several when the digits are few, or when a version has several builds. */
  candidates: Firmware[];
  matchedBy: 'choice' | 'sha' | 'version' | null;
}

/**
 * Finds the build that a dump ran. A person's choice among the builds of the model has priority, then the SHA-256 of the
 * ELF in the dump, then the version that the device reported; with none, the result is null. Among several matches the
 * given version is preferred, then the newest.
 */
export async function findBuild(
  db: Db,
  { modelId, version, appElfSha256, chosenFirmwareId }: WantedBuild,
): Promise<FoundBuild> {
  if (chosenFirmwareId !== null) {
    // Of the model that the device has now.
    const chosen = await db.firmware.findFirst({ where: { id: chosenFirmwareId, modelId } });
    if (chosen !== null) return { firmware: chosen, candidates: [chosen], matchedBy: 'choice' };
  }
  if (appElfSha256 !== null && isSha256Prefix(appElfSha256)) {
    const bySha = await newestFirst(db, { modelId, elfSha256: { startsWith: appElfSha256 } });
    const firmware = bySha.find((build) => build.version === version) ?? bySha[0];
    if (firmware !== undefined) return { firmware, candidates: bySha, matchedBy: 'sha' };
  }
  const byVersion = await newestFirst(db, { modelId, version });
  const [firmware] = byVersion;
  if (firmware === undefined) return { firmware: null, candidates: [], matchedBy: null };
  return { firmware, candidates: byVersion, matchedBy: 'version' };
}

/** Also prevents that LIKE interprets wildcards. */
function isSha256Prefix(text: string): boolean {
  return /^[0-9a-f]{1,64}$/.test(text);
}

function newestFirst(
  db: Db,
  where: { modelId: number; version?: string; elfSha256?: { startsWith: string } },
): Promise<Firmware[]> {
  return db.firmware.findMany({ where, orderBy: { id: 'desc' } });
}
