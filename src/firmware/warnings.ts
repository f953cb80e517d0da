import * as z from 'zod';
import { type ReportWarning, WARNING_CODES } from '../crashdump/index.js';
import { parseJson } from '../platform/json.js';

/** What an ELF lacks, as stored in the row of its build. */
const stored = z.array(z.object({ code: z.enum(WARNING_CODES).catch('OTHER'), message: z.string() }));

export function textOfWarnings(warnings: readonly ReportWarning[]): string {
  return JSON.stringify(warnings);
}

/** Empty for a build that was not examined yet. */
export function readWarnings(text: string | null): ReportWarning[] {
  return text === null ? [] : (stored.safeParse(parseJson(text)).data ?? []);
}
