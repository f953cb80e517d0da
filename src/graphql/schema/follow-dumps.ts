import type { CoredumpService } from '../../coredumps/service.js';
import type { CoredumpRow } from '../../coredumps/types.js';
import { notFound } from '../../errors.js';
import { startingWith } from '../../platform/async-iterators.js';

/**
 * The dumps of a filter as they change. With `coredumpId` the current state comes first.
 *
 * @throws DomainError NOT_FOUND when the dump does not exist or is not of device `deviceId`
 */
export async function followDumps(
  coredumps: Pick<CoredumpService, 'events' | 'get'>,
  filter: { coredumpId?: number; deviceId?: number },
): Promise<AsyncIterableIterator<CoredumpRow>> {
  // Listens before it reads the current state, so that no change in between is missed.
  const changes = coredumps.events.subscribe(filter);
  if (filter.coredumpId === undefined) return changes;
  try {
    const current = await coredumps.get(filter.coredumpId);
    if (current === null || (filter.deviceId !== undefined && current.deviceId !== filter.deviceId)) {
      throw notFound('core dump', filter.coredumpId, { field: 'coredumpId' });
    }
    return startingWith(current, changes);
  } catch (error) {
    await changes.return?.();
    throw error;
  }
}
