/**
 * `npm run bench [-- NAME]`: the figures of the design as ratios against a baseline that runs side by side in the same
 * run, printed as a table. Timings decide no test: this reports, and exits 0.
 */
import { dashboard } from './dashboard.js';
import { fanOut } from './fan-out.js';
import { growth } from './growth.js';
import { parse } from './parse.js';
import { type Result, TABLE_HEAD, tableRow } from './result.js';
import { twoServers } from './two-servers.js';
import { uploadMemory, uploadMemoryAtLimit, uploadThroughput } from './uploads.js';

const BENCHMARKS: Record<string, () => Promise<Result[]>> = {
  uploadThroughput,
  uploadMemory,
  uploadMemoryAtLimit,
  dashboard,
  growth,
  fanOut,
  twoServers,
  parse,
};

const wanted = process.argv[2];
const rows: string[] = [];
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (wanted !== undefined && name !== wanted) continue;
  process.stderr.write(`${name} …\n`);
  rows.push(...(await benchmark()).map(tableRow));
}
process.stdout.write(`${TABLE_HEAD}\n${rows.join('\n')}\n`);
