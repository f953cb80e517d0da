/** A dump that the campaign sent until it was acknowledged, with what must be found again. */
export interface Acknowledged {
  device: string;
  coredumpId: string;
  filename: string;
  sha256: string;
  size: number;
}

/** A row as the servers show it. */
export interface ShownDump {
  id: string;
  filename: string;
  sha256: string;
  size: number;
  parseStatus: 'PENDING' | 'PARSED' | 'ERROR';
  device: { key: string };
}

/** Ids grow with the commits, so they say which dumps are a device's newest. */
export function rowOf(id: string): number {
  return Number(Buffer.from(id, 'base64').toString('latin1').replace('Coredump:', ''));
}

/**
 * What is wrong with the rows after a round: acknowledged dumps that are not there although their device has no
 * `maxCoredumps` newer ones, others than were acknowledged, and too many.
 */
export function lossesOf(
  acknowledged: readonly Acknowledged[],
  shown: readonly ShownDump[],
  maxCoredumps: number,
): string[] {
  const byId = new Map(shown.map((dump) => [dump.id, dump]));
  const losses: string[] = [];
  for (const { device, coredumpId, filename, sha256, size } of acknowledged) {
    const dump = byId.get(coredumpId);
    const newer = shown.filter((other) => other.device.key === device && rowOf(other.id) > rowOf(coredumpId));
    if (dump === undefined) {
      if (newer.length < maxCoredumps)
        losses.push(`${filename} of ${device} was acknowledged and has no row`);
    } else if (dump.filename !== filename || dump.sha256 !== sha256 || dump.size !== size) {
      losses.push(`${filename} of ${device} is not what was acknowledged`);
    }
  }
  for (const device of new Set(shown.map(({ device: { key } }) => key))) {
    const count = shown.filter((dump) => dump.device.key === device).length;
    if (count > maxCoredumps) losses.push(`${device} has ${count} dumps`);
  }
  const ids = new Map<string, string>();
  for (const { device, coredumpId, sha256 } of acknowledged) {
    if (ids.has(coredumpId))
      losses.push(`two dumps of ${device} were acknowledged with the id ${coredumpId}`);
    ids.set(coredumpId, sha256);
  }
  return losses;
}
