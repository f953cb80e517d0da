const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** No zone changes its clocks by more than this at once. */
const LARGEST_CHANGE_MINUTES = 180;

/** Whether the time zone database of this Node has this name: "Europe/Berlin". */
export function isTimeZone(name: string): boolean {
  // Offsets, which newer versions of Node accept too, know no daylight saving time.
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The clocks on the walls of a time zone. @returns minutes after midnight at that moment */
export function wallClock(timeZone: string): (at: Date) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const parts = format.formatToParts(at);
    const partOf = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
    return partOf('hour') * 60 + partOf('minute');
  };
}

/**
 * The first moment after `at`, on a whole minute, at which the clocks reach this time. On a day whose clocks skip it,
 * that is when they go on.
 */
export function nextTime(at: Date, timeZone: string, minuteOfDay: number): Date {
  const clock = wallClock(timeZone);
  const from = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
  const sinceTime = (ms: number) => (clock(new Date(ms)) - minuteOfDay + DAY_MINUTES) % DAY_MINUTES;
  const usual = from + (DAY_MINUTES - sinceTime(from)) * MINUTE_MS;
  if (sinceTime(usual) === 0) return new Date(usual);
  // The clocks change in between.
  const earliest = Math.max(from, usual - LARGEST_CHANGE_MINUTES * MINUTE_MS);
  for (let ms = earliest + MINUTE_MS; ms <= usual + LARGEST_CHANGE_MINUTES * MINUTE_MS; ms += MINUTE_MS) {
    if (sinceTime(ms) < sinceTime(ms - MINUTE_MS)) return new Date(ms);
  }
  return new Date(usual);
}

/** Whether the clocks show a time of this range, which may go over midnight; `to` itself is not in it. */
export function isWithin(minuteOfDay: number, from: number, to: number): boolean {
  return from <= to ? minuteOfDay >= from && minuteOfDay < to : minuteOfDay >= from || minuteOfDay < to;
}

/** "22:05" */
export function timeText(minuteOfDay: number): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${two(Math.floor(minuteOfDay / 60))}:${two(minuteOfDay % 60)}`;
}

/** Minutes after midnight of "22:05"; null for another text. */
export function readTime(text: string): number | null {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined || minutes === undefined ? null : Number(hours) * 60 + Number(minutes);
}
