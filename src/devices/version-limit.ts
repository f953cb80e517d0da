import { dayOf } from './device-days.js';

/** More versions than a developer flashes on a day. */
const MAX_CHANGES_A_DAY = 50;

/**
 * Devices whose version changes all the time: each version is a row a day, so one device could fill the database. A device
 * beyond the limit is not counted for the rest of the day. In memory: several servers, or a restart, allow some more.
 */
export function createVersionLimit(max = MAX_CHANGES_A_DAY) {
  let day = 0;
  const changes = new Map<number, number>();

  function begin(now: Date): void {
    if (dayOf(now) === day) return;
    day = dayOf(now);
    changes.clear();
  }

  return {
    /** The device started with another version than before. */
    note(deviceId: number, now: Date): void {
      begin(now);
      changes.set(deviceId, (changes.get(deviceId) ?? 0) + 1);
    },
    isOver(deviceId: number, now: Date): boolean {
      begin(now);
      return (changes.get(deviceId) ?? 0) > max;
    },
  };
}
