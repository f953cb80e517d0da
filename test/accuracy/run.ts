import type { AccuracyRow } from './row.js';
import { measureWrongBuilds } from './wrong-build.js';

/** One module a kind of input; each tries what it has and returns its rows. */
const KINDS: readonly (() => Promise<AccuracyRow[]>)[] = [measureWrongBuilds];

const rows: AccuracyRow[] = [];
for (const measure of KINDS) rows.push(...(await measure()));

console.table(rows);
process.exitCode = rows.every(({ wrong }) => wrong === 0) ? 0 : 1;
