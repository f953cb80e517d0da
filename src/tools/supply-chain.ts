/**
 * `npm run check:supply-chain`: fails when a dependency has a known vulnerability without an entry in audit-allow.json,
 * or an install script without a decision in package.json. When the registry's audit endpoint does not answer (no
 * network, a mirror without it) the first check is skipped, visibly.
 */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseJson } from '../platform/json.js';
import {
  type Advisory,
  findProblems,
  readAllowances,
  readAudit,
  unknownInstallScripts,
} from './advisories.js';

const ALLOWED = 'audit-allow.json';
/** Short, because `npm run check` is run often. */
const AUDIT_TIMEOUT_MS = 60_000;

const problems = unknownInstallScripts(readJson('package-lock.json'), readJson('package.json'));
const advisories = await askForAdvisories();
if (advisories === null) {
  process.stderr.write('SKIPPED: npm audit, because the registry’s audit endpoint gave no answer\n');
} else {
  const allowed = readAllowances(existsSync(ALLOWED) ? readJson(ALLOWED) : []);
  problems.push(...allowed.problems, ...findProblems(advisories, allowed.entries, new Date()));
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** @returns null when there is no answer */
async function askForAdvisories(): Promise<Advisory[] | null> {
  const text = await npmAudit();
  return readAudit(parseJson(text));
}

function npmAudit(): Promise<string> {
  return new Promise((resolve) => {
    const args = ['audit', '--json', '--package-lock-only'];
    // The exit code only says whether there are advisories; the report says which.
    execFile(
      'npm',
      args,
      { timeout: AUDIT_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' },
      (_error, stdout) => resolve(stdout),
    );
  });
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
