import type { ChartColumn } from './chart-columns';

/** How times are written below the chart and in full. */
export interface Formats {
  tick: Intl.DateTimeFormat;
  whole: Intl.DateTimeFormat;
}

export function formatsOf(by: 'DAY' | 'HOUR', timeZone: string): Formats {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  return by === 'DAY'
    ? { tick: format({ day: 'numeric', month: 'short' }), whole: format({ dateStyle: 'full' }) }
    : {
        tick: format({ weekday: 'short', ...clock }),
        whole: format({ weekday: 'long', day: 'numeric', month: 'long', ...clock }),
      };
}

export const CRASHES: Noun = { one: 'crash', many: 'crashes' };

/** What is counted. */
export interface Noun {
  one: string;
  many: string;
}

export function totalOf({ parts }: ChartColumn): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

export function countOf(column: ChartColumn, { one, many }: Noun): string {
  const total = totalOf(column);
  return `${total.toLocaleString('en')} ${total === 1 ? one : many}`;
}

/** What screen readers say of a column. */
export function textOf(column: ChartColumn, { whole }: Formats, noun: Noun): string {
  const when = whole.format(new Date(column.at));
  if (column.isGap === true) return `${when}: no data`;
  const parts = column.parts.length > 1 ? column.parts.map(({ name, count }) => `${name}: ${count}`) : [];
  return [`${when}: ${countOf(column, noun)}`, ...parts].join(', ');
}
