/** Milliseconds of the spans that settings and schedules are said in. */
export const HOUR_MS = 60 * 60 * 1000;
export const DAY_MS = 24 * HOUR_MS;
