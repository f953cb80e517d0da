import { type BuildRows, buildsNamed } from '../firmware/find-build.js';
import type { DbTransaction } from '../platform/database/types.js';
import { type CoredumpRow, UNKNOWN } from './types.js';

/** What decides the version of a crash. */
export type VersionedDump = Pick<
  CoredumpRow,
  'firmwareVersion' | 'firmwareId' | 'chosenFirmwareId' | 'appElfSha256' | 'dumpChip'
>;

/**
 * The version that crashed, which lists, filters and counters go by. A device reports the version that it runs now, which
 * is a newer one when it was updated after the crash, so the build decides where it is known:
 * - the build that the dump names, also when a person had it read with another one;
 * - for a dump that names none: the build that a person chose;
 * - otherwise what the device reported; where nobody reported one, that of the build that it was read with.
 *
 * This is the only place that decides it. `Coredump.crashVersion` and `CrashOccurrence.firmwareVersion` both have it.
 *
 * @param modelId of the device
 * @param elfMatches of the report: the parse was made with the build that the dump names
 */
export async function crashVersionOf(
  tx: BuildRows,
  dump: VersionedDump,
  { modelId, elfMatches }: { modelId: number; elfMatches: boolean },
): Promise<string> {
  const { firmwareVersion: version, firmwareId, chosenFirmwareId, appElfSha256, dumpChip: chip } = dump;
  const isChosen = appElfSha256 === null && chosenFirmwareId !== null && chosenFirmwareId === firmwareId;
  if (firmwareId !== null && (elfMatches || isChosen || version === UNKNOWN)) {
    const used = await tx.firmware.findUnique({ where: { id: firmwareId }, select: { version: true } });
    if (used !== null) return used.version;
  }
  if (appElfSha256 === null) return version;
  const named = await buildsNamed(tx, { modelId, chip, appElfSha256 });
  const build =
    named.find(({ id }) => id === firmwareId) ??
    named.find((candidate) => candidate.version === version) ??
    named[0];
  return build?.version ?? version;
}

/** Writes the version into the dump's row, which is locked, and into `dump`. */
export async function keepCrashVersion(
  tx: DbTransaction,
  dump: Pick<CoredumpRow, 'id' | 'crashVersion'>,
  crashVersion: string,
): Promise<void> {
  if (dump.crashVersion === crashVersion) return;
  await tx.coredump.updateMany({ where: { id: dump.id }, data: { crashVersion } });
  dump.crashVersion = crashVersion;
}
