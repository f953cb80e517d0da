import { useFilters } from '../../parts/filters';

/** A day as inputs and addresses have it: `2026-11-29`, in the reader's time zone. */
export function dayOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Midnight of a day, or of the day after it, as the API takes times. Null for what is no day. */
function midnightOf(day: string, { next = false } = {}): string | null {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return null;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + (next ? 1 : 0));
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** Which crashes of the group are meant: the filters in the address. */
export function useGroupFilters() {
  const { parameters, chooseAll } = useFilters();
  const of = (name: string) => parameters.get(name) ?? '';
  const from = midnightOf(of('from'));
  const to = midnightOf(of('to'), { next: true });
  const filter = {
    ...(of('version') === '' ? {} : { crashVersion: [of('version')] }),
    ...(of('chip') === '' ? {} : { chip: [of('chip')] }),
    ...(of('device') === '' ? {} : { deviceKey: [of('device')] }),
    ...(from === null ? {} : { uploadedAfter: from }),
    ...(to === null ? {} : { uploadedBefore: to }),
  };
  return {
    parameters,
    filter: Object.keys(filter).length === 0 ? null : filter,
    /** The crash that was chosen by another filter need not be among these. */
    choose: (changes: Readonly<Record<string, string>>) => chooseAll({ dump: '', ...changes }),
  };
}
