/** Time is a dependency everywhere, so that leases, retention and retries are tested without sleeping. */
export interface Clock {
  now(): Date;
  /** Microseconds since 1970; strictly increasing within one process. */
  uniqueMicros(): bigint;
}

export function createSystemClock(): Clock {
  let last = 0n;
  return {
    now: () => new Date(),
    uniqueMicros() {
      const micros = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
      last = micros > last ? micros : last + 1n;
      return last;
    },
  };
}
