import { AsyncLocalStorage } from 'node:async_hooks';
import DataLoader from 'dataloader';

type Schedule = (dispatch: () => void) => void;

const schedules = new AsyncLocalStorage<Schedule>();

/**
 * DataLoader with a configurable dispatch time, instead of the end of an event-loop turn: code that works in time
 * slices signals when all keys of a batch were requested.
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

/** DataLoader's default: after all requests of this event-loop turn and of the promises that settle in it. */
export function atEndOfTurn(dispatch: () => void): void {
  void Promise.resolve().then(() => process.nextTick(dispatch));
}
