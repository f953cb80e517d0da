import type { ChangeService } from '../../changes/service.js';
import type { CoredumpService } from '../../coredumps/service.js';
import type { CoredumpRow } from '../../coredumps/types.js';
import { notFound } from '../../errors.js';
import { startingWith } from '../../platform/async-iterators.js';

interface Followed {
  changes: Pick<ChangeService, 'untilDeleted'>;
  coredumps: Pick<CoredumpService, 'events' | 'get'>;
}

/**
 * The dumps of a filter as they change. With `coredumpId` the current state comes first. Ends when the dump or the
 * device is deleted.
 *
 * @throws DomainError NOT_FOUND when the dump does not exist or is not of device `deviceId`
 */
export async function followDumps(
  { changes, coredumps }: Followed,
  { coredumpId, deviceId }: { coredumpId?: number; deviceId?: number },
): Promise<AsyncIterableIterator<CoredumpRow>> {
  if (coredumpId !== undefined) {
    return changes.untilDeleted('Coredump', coredumpId, () => followDump(coredumps, coredumpId, deviceId));
  }
  if (deviceId === undefined) return coredumps.events.subscribe({});
  return changes.untilDeleted('Device', deviceId, async () => coredumps.events.subscribe({ deviceId }));
}

async function followDump(
  coredumps: Followed['coredumps'],
  coredumpId: number,
  deviceId: number | undefined,
): Promise<AsyncIterableIterator<CoredumpRow>> {
  // Listens before it reads the current state, so that no change in between is missed.
  const changes = coredumps.events.subscribe({
    coredumpId,
    ...(deviceId === undefined ? {} : { deviceId }),
  });
  try {
    const current = await coredumps.get(coredumpId);
    if (current === null || (deviceId !== undefined && current.deviceId !== deviceId)) {
      throw notFound('core dump', coredumpId, { field: 'coredumpId' });
    }
    return startingWith(current, changes);
  } catch (error) {
    await changes.return?.();
    throw error;
  }
}
