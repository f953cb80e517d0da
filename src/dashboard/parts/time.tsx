import { useSyncExternalStore } from 'react';

const MINUTE_MS = 60_000;
const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago; the exact time as a tooltip. */
export function Ago({ at }: { at: string }) {
  const now = useSyncExternalStore(everyMinute, currentMinute);
  const date = new Date(at);
  return (
    <time dateTime={at} title={absolute.format(date)} className="ago">
      {agoText((Math.max(now, Date.now()) - date.getTime()) / 1000)}
    </time>
  );
}

export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{absolute.format(new Date(at))}</time>;
}

function agoText(seconds: number): string {
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return 'now';
}

/** How long something lasted, by its largest unit: "3h", "12s". */
export function spanText(seconds: number): string {
  const [unit, length] = STEPS.find(([, each]) => seconds >= each) ?? (['second', 1] as const);
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.floor(seconds / length),
  );
}

function everyMinute(listener: () => void): () => void {
  const timer = setInterval(listener, MINUTE_MS / 4);
  return () => clearInterval(timer);
}

function currentMinute(): number {
  return Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
}
