import { AsyncLocalStorage } from 'node:async_hooks';
import DataLoader from 'dataloader';

type Schedule = (dispatch: () => void) => void;

const schedules = new AsyncLocalStorage<Schedule>();

/**
 * DataLoader whose batches may be sent at another time than at the end of a turn of the event loop: code that works in
 * slices of time says when all keys of a batch were asked for.
 */
export default class GatheringLoader<Key, Value, CacheKey = Key> extends DataLoader<Key, Value, CacheKey> {
  constructor(
    load: DataLoader.BatchLoadFn<Key, Value>,
    options: DataLoader.Options<Key, Value, CacheKey> = {},
  ) {
    super(load, { batchScheduleFn: scheduleBatch, ...options });
  }
}

/** Runs work whose loaders wait for `schedule`. */
export function gatherBy<Result>(schedule: Schedule, work: () => Result): Result {
  return schedules.run(schedule, work);
}

export function scheduleBatch(dispatch: () => void): void {
  const schedule = schedules.getStore() ?? atEndOfTurn;
  schedule(dispatch);
}

/** As DataLoader does: after all that asks in this turn, and in the promises that it settles. */
export function atEndOfTurn(dispatch: () => void): void {
  void Promise.resolve().then(() => process.nextTick(dispatch));
}
