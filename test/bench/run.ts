/**
 * `npm run bench [-- NAME…]`: the figures of the design as ratios against a baseline that runs side by side in the same
 * run, printed as a table. Timings decide no test: this reports, and exits 0.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import { answers } from './answers.js';
import { before } from './before.js';
import { boots } from './boots.js';
import { crashGroups } from './crash-groups.js';
import { dashboard } from './dashboard.js';
import { enrolment } from './enrolment.js';
import { fanOut } from './fan-out.js';
import { firstView } from './first-view.js';
import { growth } from './growth.js';
import { install } from './install.js';
import { newDumpInPage } from './new-dump-in-page.js';
import { parse } from './parse.js';
import { failed, type Result, TABLE_HEAD, tableRow } from './result.js';
import { twoServers } from './two-servers.js';
import { uploadMemory, uploadMemoryAtLimit, uploadThroughput } from './uploads.js';

const BENCHMARKS: Record<string, () => Promise<Result[]>> = {
  uploadThroughput,
  uploadMemory,
  uploadMemoryAtLimit,
  dashboard,
  growth,
  fanOut,
  newDumpInPage,
  firstView,
  twoServers,
  enrolment,
  boots,
  crashGroups,
  parse,
  answers,
  before,
  install,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}: ${Object.keys(BENCHMARKS).join(', ')}\n`,
  );
  process.exit(2);
}

const rows: string[] = [];
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  const begun = performance.now();
  rows.push(...(await resultsOf(name, benchmark)).map(tableRow));
  process.stderr.write(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
}
process.stdout.write(`${machine()}\n\n${TABLE_HEAD}\n${rows.join('\n')}\n`);

/** A benchmark that breaks is a row as well, so that the others are not lost. */
async function resultsOf(name: string, benchmark: () => Promise<Result[]>): Promise<Result[]> {
  try {
    return await benchmark();
  } catch (error) {
    return [failed(name, error instanceof Error ? error.message : String(error))];
  }
}

function machine(): string {
  const [cpu] = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${cpus().length} × ${cpu?.model ?? 'an unknown processor'}, ${gigabytes} GB, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}`;
}
