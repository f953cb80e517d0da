/**
 * `npm run bench [-- NAME]`: the figures of the design as ratios against a baseline that runs side by side in the same
 * run, printed as a table. Timings decide no test: this reports, and exits 0.
 */
import { parse } from './parse.js';
import { uploadMemory, uploadMemoryAtLimit, uploadThroughput } from './uploads.js';

export interface Result {
  what: string;
  value: number;
  unit?: string;
  hold: string;
  holds: (value: number) => boolean;
  detail: string;
}

const BENCHMARKS: Record<string, () => Promise<Result[]>> = {
  uploadThroughput,
  uploadMemory,
  uploadMemoryAtLimit,
  parse,
};

const wanted = process.argv[2];
const rows: string[] = [];
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (wanted !== undefined && name !== wanted) continue;
  process.stderr.write(`${name} …\n`);
  for (const { what, value, unit = '', hold, holds, detail } of await benchmark()) {
    rows.push(
      `| ${what} | ${value.toFixed(2)} ${unit} | ${hold} | ${holds(value) ? 'yes' : 'no'} | ${detail} |`,
    );
  }
}
process.stdout.write(`| what | seen | hold | held | detail |\n|---|---|---|---|---|\n${rows.join('\n')}\n`);
