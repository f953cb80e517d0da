import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Firmware } from './types.js';

/**
 * Deletes the rows of a model's builds beyond the newest `maxFirmwares`, except those that a stored dump refers to.
 * "Newest" means the highest id, so equal times do not matter.
 *
 * @returns the deleted rows; the caller deletes their blobs after the commit
 */
export async function retireBuilds(
  tx: DbTransaction,
  modelId: number,
  maxFirmwares: number,
): Promise<Firmware[]> {
  const surplus = await tx.firmware.findMany({
    where: { modelId },
    orderBy: { id: 'desc' },
    skip: maxFirmwares,
  });
  const retired: Firmware[] = [];
  for (const build of surplus) {
    if (await isNeeded(tx, build)) continue;
    await tx.firmware.delete({ where: { id: build.id } });
    retired.push(build);
  }
  return retired;
}

/** Several queries instead of one with OR: each has its index, and the first usually decides. */
async function isNeeded(tx: DbTransaction, { id, modelId, version, elfSha256 }: Firmware): Promise<boolean> {
  const device = { modelId };
  const references: Prisma.CoredumpWhereInput[] = [
    { firmwareId: id },
    // Chosen by a person, for a parse that may not have run yet.
    { chosenFirmwareId: id },
    // Not parsed yet, or the build was missing: matched by the version that the device reported.
    { device, firmwareId: null, firmwareVersion: version },
    // Parsed with another build, or the ELF was missing: matched by the SHA-256 in the dump.
    { device, appElfSha256: { in: prefixesOf(elfSha256) } },
  ];
  for (const where of references) {
    if ((await tx.coredump.findFirst({ where, select: { id: true } })) !== null) return true;
  }
  return false;
}

/** A dump contains a prefix of any length. */
function prefixesOf(sha256: string): string[] {
  return Array.from(sha256, (_, index) => sha256.slice(0, index + 1));
}
