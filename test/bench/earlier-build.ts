import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The build that BASELINE names: a folder of a checkout where `npm run build` has run; else what is missing. */
export function earlierBuild(): { dist: string; program: string } | { missing: string } {
  const { BASELINE: folder } = process.env;
  if (folder === undefined) return { missing: 'BASELINE names no folder of a built checkout' };
  const dist = join(resolve(folder), 'dist');
  const program = join(dist, 'coredock.cjs');
  return existsSync(program) ? { dist, program } : { missing: `there is no ${program}` };
}
