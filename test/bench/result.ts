/** One line of the table. */
export interface Result {
  what: string;
  /** Null when it could not be measured here; `detail` says why. */
  value: number | null;
  unit?: string;
  hold: string;
  holds: (value: number) => boolean;
  detail: string;
}

export function skipped(what: string, why: string): Result {
  return { what, value: null, hold: '–', holds: () => false, detail: `SKIPPED: ${why}` };
}

export function failed(what: string, why: string): Result {
  const [line = ''] = why.split('\n');
  return { what, value: null, hold: '–', holds: () => false, detail: `FAILED: ${line.slice(0, 300)}` };
}

export function tableRow({ what, value, unit = '', hold, holds, detail }: Result): string {
  const seen = value === null ? '–' : `${value.toFixed(2)} ${unit}`.trim();
  const held = value === null ? '–' : holds(value) ? 'yes' : 'no';
  return `| ${what} | ${seen} | ${hold} | ${held} | ${detail} |`;
}

export const TABLE_HEAD = '| what | seen | hold | held | detail |\n|---|---|---|---|---|';
