import type { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { Firmware } from './types.js';

/**
 * Deletes the rows of a model's builds beyond the newest `maxFirmwares`, except those that a kept dump refers to. Ids
 * decide what is newest, so equal times are no question.
 *
 * @returns what was deleted; their blobs are the caller's to delete, after the commit
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

/** Three questions instead of one with OR: each has its index, and the first usually answers. */
async function isNeeded(tx: DbTransaction, { id, modelId, version, elfSha256 }: Firmware): Promise<boolean> {
  const device = { modelId };
  const references: Prisma.CoredumpWhereInput[] = [
    { firmwareId: id },
    // Not read yet, or not readable yet: by what the device reported.
    { device, firmwareId: null, firmwareVersion: version },
    // Read with another build for want of this one, or lacking it: by what the dump says.
    { device, appElfSha256: { in: prefixesOf(elfSha256) } },
  ];
  for (const where of references) {
    if ((await tx.coredump.findFirst({ where, select: { id: true } })) !== null) return true;
  }
  return false;
}

/** A dump carries a prefix of any length. */
function prefixesOf(sha256: string): string[] {
  return Array.from(sha256, (_, index) => sha256.slice(0, index + 1));
}
