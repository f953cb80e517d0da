import type { Db } from '../platform/database/types.js';
import type { Firmware } from './types.js';

export interface WantedBuild {
  modelId: number;
  /** As the device reported it. */
  version: string;
  /** Leading hexadecimal digits, any number of them, as the dump carries them; null when it carries none. */
  appElfSha256: string | null;
}

export interface FoundBuild {
  firmware: Firmware | null;
  /** All that fit, newest first: several when the digits are few, or when a version has several builds. */
  candidates: Firmware[];
  matchedBy: 'sha' | 'version' | null;
}

/**
 * Which build a dump ran. Its own word, the SHA-256 of the ELF, counts before the version that the device reported;
 * without either the answer is null. Among several the given version, then the newest, is taken.
 */
export async function findBuild(
  db: Db,
  { modelId, version, appElfSha256 }: WantedBuild,
): Promise<FoundBuild> {
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

/** Also keeps what LIKE would take for a pattern out of the query. */
function isSha256Prefix(text: string): boolean {
  return /^[0-9a-f]{1,64}$/.test(text);
}

function newestFirst(
  db: Db,
  where: { modelId: number; version?: string; elfSha256?: { startsWith: string } },
): Promise<Firmware[]> {
  return db.firmware.findMany({ where, orderBy: { id: 'desc' } });
}
