import type { CoredumpService } from '../../coredumps/service.js';
import type { CoredumpRow } from '../../coredumps/types.js';
import { notFound } from '../../errors.js';
import { startingWith } from '../../platform/async-iterators.js';

/**
 * The dumps of a filter as they change. With `coredumpId` the current state comes first.
 *
 * @throws DomainError NOT_FOUND when there is no such dump, or it is not `deviceId`'s
 */
export async function followDumps(
  coredumps: Pick<CoredumpService, 'events' | 'get'>,
  filter: { coredumpId?: number; deviceId?: number },
): Promise<AsyncIterableIterator<CoredumpRow>> {
  // Listening begins before the current state is read, so no change falls between the two.
  const changes = coredumps.events.subscribe(filter);
  if (filter.coredumpId === undefined) return changes;
  try {
    const current = await coredumps.get(filter.coredumpId);
    if (current === null || (filter.deviceId !== undefined && current.deviceId !== filter.deviceId)) {
      throw notFound('core dump', filter.coredumpId);
    }
    return startingWith(current, changes);
  } catch (error) {
    await changes.return?.();
    throw error;
  }
}
