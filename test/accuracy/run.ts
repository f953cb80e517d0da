import { measureArguments } from './arguments.js';
import { measureArrival } from './arrival.js';
import { measureCallFrames } from './call-frames.js';
import { measureDemangling } from './demangle.js';
import { measureReasons } from './reasons.js';
import type { AccuracyRow } from './row.js';
import { measureStepping } from './stepping.js';
import { measureTailCalls } from './tail-calls.js';
import { measureWrongBuilds } from './wrong-build.js';

/** One module a kind of input; each tries what it has and returns its rows. */
const KINDS: readonly (() => Promise<AccuracyRow[]>)[] = [
  measureArguments,
  measureArrival,
  measureCallFrames,
  measureDemangling,
  measureReasons,
  measureStepping,
  measureTailCalls,
  measureWrongBuilds,
];

const rows: AccuracyRow[] = [];
for (const measure of KINDS) rows.push(...(await measure()));

process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
process.exitCode = rows.every(({ wrong }) => wrong === 0) ? 0 : 1;
