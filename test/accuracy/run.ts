import { measureArrival } from './arrival.js';
import { measureCallFrames } from './call-frames.js';
import type { AccuracyRow } from './row.js';
import { measureTailCalls } from './tail-calls.js';

/** One module a kind of input; each tries what it has and returns its rows. */
const KINDS: readonly (() => Promise<AccuracyRow[]>)[] = [
  measureArrival,
  measureCallFrames,
  measureTailCalls,
];

const rows: AccuracyRow[] = [];
for (const measure of KINDS) rows.push(...(await measure()));

process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
process.exitCode = rows.every(({ wrong }) => wrong === 0) ? 0 : 1;
