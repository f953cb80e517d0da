import type { AccuracyRow } from './row.js';
import { measureStepping } from './stepping.js';

/** One module a kind of input; each tries what it has and returns its rows. */
const KINDS: readonly (() => Promise<AccuracyRow[]>)[] = [measureStepping];

const rows: AccuracyRow[] = [];
for (const measure of KINDS) rows.push(...(await measure()));

// biome-ignore lint/suspicious/noConsole: the table is what this program is for.
console.table(rows);
process.exitCode = rows.every(({ wrong }) => wrong === 0) ? 0 : 1;
